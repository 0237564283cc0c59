import { defineApi } from '../api.ts';
import { array, between, int16, int32, NO_UUID, nullableString, since, string, struct, uuid } from '../schema.ts';

export const deleteTopicsApi = defineApi({
  name: 'DeleteTopics',
  key: 20,
  versions: [1, 6],
  flexibleSince: 4,
  request: struct({
    /** From version 6 on by name, or by id where the name is null. */
    topics: since(6, array(struct({ name: nullableString, topicId: uuid })), []),
    topicNames: between(0, 5, array(string), []),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        /** Null where an id is unknown. */
        name: nullableString,
        topicId: since(6, uuid, NO_UUID),
        errorCode: int16,
        errorMessage: since(5, nullableString, null),
      }),
    ),
  }),
});
