import { defineApi } from '../api.ts';
import { array, int8, int16, int32, int64, since, string, struct } from '../schema.ts';

/** Timestamps of a request that ask for an end of the log instead of a time. */
export const LATEST_TIMESTAMP = -1n;
export const EARLIEST_TIMESTAMP = -2n;
/** From version 7 on: the record with the latest time, wherever it is. */
export const MAX_TIMESTAMP = -3n;

/** The first offset at or after a time, or an end of the log. */
export const listOffsetsApi = defineApi({
  name: 'ListOffsets',
  key: 2,
  versions: [1, 7],
  flexibleSince: 6,
  request: struct({
    replicaId: int32,
    isolationLevel: since(2, int8, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ index: int32, currentLeaderEpoch: since(4, int32, -1), timestamp: int64 })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            /** -1 where an end of the log was asked for, and -1 with offset -1 where no record is that late. */
            timestamp: int64,
            offset: int64,
            leaderEpoch: since(4, int32, -1),
          }),
        ),
      }),
    ),
  }),
});
