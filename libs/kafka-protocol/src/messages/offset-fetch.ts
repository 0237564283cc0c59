import { defineApi } from '../api.ts';
import {
  array,
  between,
  boolean,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
} from '../schema.ts';

const askedTopics = nullableArray(struct({ name: string, partitions: array(int32) }));

const answeredTopics = array(
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
);

/** Committed offsets of one group up to version 7, of several from version 8 on; -1 where a partition has none. */
export const offsetFetchApi = defineApi({
  name: 'OffsetFetch',
  key: 9,
  versions: [1, 8],
  flexibleSince: 6,
  request: struct({
    groupId: between(0, 7, string, ''),
    /** null (from version 2 on): all partitions that the group has an offset for. */
    topics: between(0, 7, askedTopics, null),
    groups: since(8, array(struct({ groupId: string, topics: askedTopics })), []),
    /** Offsets that a transaction is about to replace are an error. */
    requireStable: since(7, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: between(0, 7, answeredTopics, []),
    errorCode: between(2, 7, int16, 0),
    groups: since(8, array(struct({ groupId: string, topics: answeredTopics, errorCode: int16 })), []),
  }),
});
