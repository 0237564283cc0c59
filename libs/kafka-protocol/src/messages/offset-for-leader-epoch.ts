import { defineApi } from '../api.ts';
import { array, int16, int32, int64, since, string, struct } from '../schema.ts';

/** Where an epoch of a partition's leader ended: by that a reader notices that what it read was cut off since. */
export const offsetForLeaderEpochApi = defineApi({
  name: 'OffsetForLeaderEpoch',
  key: 23,
  versions: [2, 4],
  flexibleSince: 4,
  request: struct({
    replicaId: since(3, int32, -2),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ index: int32, currentLeaderEpoch: int32, leaderEpoch: int32 })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        /** Epoch and offset are -1 where that epoch is unknown. */
        partitions: array(struct({ errorCode: int16, index: int32, leaderEpoch: int32, endOffset: int64 })),
      }),
    ),
  }),
});
