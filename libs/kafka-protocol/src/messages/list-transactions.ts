import { defineApi } from '../api.ts';
import { array, int16, int32, int64, since, string, struct } from '../schema.ts';

/** Every transactional id, or those that pass the filters. */
export const listTransactionsApi = defineApi({
  name: 'ListTransactions',
  key: 66,
  versions: [0, 1],
  flexibleSince: 0,
  request: struct({
    /** Empty: all states. */
    stateFilters: array(string),
    /** Empty: all producers. */
    producerIdFilters: array(int64),
    /** Only transactions that are under way for longer; -1: all. */
    durationFilterMs: since(1, int64, -1n),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    /** Those of the filters that name no state. */
    unknownStateFilters: array(string),
    transactions: array(struct({ transactionalId: string, producerId: int64, state: string })),
  }),
});
