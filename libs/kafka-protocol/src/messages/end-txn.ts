import { defineApi } from '../api.ts';
import { boolean, int16, int32, int64, string, struct } from '../schema.ts';

/** Commits a transaction, or aborts it. The producer keeps its epoch: the answer could not tell of a new one. */
export const endTxnApi = defineApi({
  name: 'EndTxn',
  key: 26,
  versions: [0, 3],
  flexibleSince: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: boolean }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
});
