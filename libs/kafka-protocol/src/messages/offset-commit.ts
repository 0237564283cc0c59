import { defineApi } from '../api.ts';
import { array, between, int16, int32, int64, nullableString, since, string, struct } from '../schema.ts';

/** Stores how far a group has read. Generation -1 with an empty member id: a commit without membership. */
export const offsetCommitApi = defineApi({
  name: 'OffsetCommit',
  key: 8,
  versions: [2, 8],
  flexibleSince: 8,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: between(2, 4, int64, -1n),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(6, int32, -1),
            committedMetadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
});
