import { defineApi } from '../api.ts';
import { int16, int32, int64, nullableString, since, struct } from '../schema.ts';

/** Gives a producer its id and epoch. With a transactional id it fences whoever had that before. */
export const initProducerIdApi = defineApi({
  name: 'InitProducerId',
  key: 22,
  versions: [0, 5],
  flexibleSince: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    /** The incarnation that goes on; -1: none, or one that does not say. */
    producerId: since(3, int64, -1n),
    producerEpoch: since(3, int16, -1),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64,
    producerEpoch: int16,
  }),
});
