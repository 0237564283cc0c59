import { defineApi } from '../api.ts';
import { array, int16, int32, int64, string, struct } from '../schema.ts';

/** Says which partitions a transaction will write to, before it does. The first one begins the transaction. */
export const addPartitionsToTxnApi = defineApi({
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: [0, 3],
  flexibleSince: 3,
  request: struct({
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    topics: array(struct({ name: string, partitions: array(int32) })),
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
});
