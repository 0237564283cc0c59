import { defineApi } from '../api.ts';
import { array, int16, int32, int64, string, struct } from '../schema.ts';

/** What transactional ids are doing. */
export const describeTransactionsApi = defineApi({
  name: 'DescribeTransactions',
  key: 65,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({ transactionalIds: array(string) }),
  response: struct({
    throttleTimeMs: int32,
    transactions: array(
      struct({
        errorCode: int16,
        transactionalId: string,
        /** Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit or CompleteAbort. */
        state: string,
        timeoutMs: int32,
        /** -1: none is under way. */
        startTimeMs: int64,
        producerId: int64,
        producerEpoch: int16,
        topics: array(struct({ name: string, partitions: array(int32) })),
      }),
    ),
  }),
});
