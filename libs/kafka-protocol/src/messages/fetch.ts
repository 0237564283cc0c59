import { defineApi } from '../api.ts';
import { array, int8, int16, int32, int64, nullableArray, records, since, string, struct } from '../schema.ts';

/** Reads whole record batches; waits up to `maxWaitMs` for `minBytes`. */
export const fetchApi = defineApi({
  name: 'Fetch',
  key: 1,
  versions: [4, 12],
  flexibleSince: 12,
  request: struct({
    /** -1: a consumer. */
    replicaId: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32,
    /** 0: read uncommitted; 1: read committed. */
    isolationLevel: int8,
    /** 0 with epoch -1: no fetch session. */
    sessionId: since(7, int32, 0),
    sessionEpoch: since(7, int32, -1),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            currentLeaderEpoch: since(9, int32, -1),
            fetchOffset: int64,
            lastFetchedEpoch: since(12, int32, -1),
            logStartOffset: since(5, int64, -1n),
            partitionMaxBytes: int32,
          }),
        ),
      }),
    ),
    forgottenTopics: since(7, array(struct({ name: string, partitions: array(int32) })), []),
    rackId: since(11, string, ''),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: since(7, int16, 0),
    sessionId: since(7, int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: int64,
            logStartOffset: since(5, int64, -1n),
            abortedTransactions: nullableArray(struct({ producerId: int64, firstOffset: int64 })),
            preferredReadReplica: since(11, int32, -1),
            records,
          }),
        ),
      }),
    ),
  }),
});
