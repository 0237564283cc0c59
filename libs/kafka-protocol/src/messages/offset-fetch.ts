import { defineApi } from '../api.ts';
import { array, int16, int32, int64, nullableArray, nullableString, since, string, struct } from '../schema.ts';

/** A group's committed offsets; -1 where a partition has none. */
export const offsetFetchApi = defineApi({
  name: 'OffsetFetch',
  key: 9,
  versions: [1, 5],
  request: struct({
    groupId: string,
    /** null (from version 2 on): all partitions that the group has an offset for. */
    topics: nullableArray(struct({ name: string, partitions: array(int32) })),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(5, int32, -1),
            metadata: nullableString,
            errorCode: int16,
          }),
        ),
      }),
    ),
    errorCode: since(2, int16, 0),
  }),
});
