import { defineApi } from '../api.ts';
import { boolean, int16, int32, int64, since, string, struct } from '../schema.ts';

/**
 * Commits a transaction, or aborts it. From version 5 on the producer gets a new epoch with it, so that nothing of this
 * transaction, however late, can touch the next one (KIP-890).
 */
export const endTxnApi = defineApi({
  name: 'EndTxn',
  key: 26,
  versions: [0, 5],
  flexibleSince: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: boolean }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    /** Who may begin the next transaction. */
    producerId: since(5, int64, -1n),
    producerEpoch: since(5, int16, -1),
  }),
});
