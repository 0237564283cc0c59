import { defineApi } from '../api.ts';
import { int16, int32, int64, string, struct } from '../schema.ts';

/** Says that a transaction will commit offsets of a group, before it does. */
export const addOffsetsToTxnApi = defineApi({
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: [0, 4],
  flexibleSince: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
});
