import { defineApi } from '../api.ts';
import {
  array,
  boolean,
  int8,
  int16,
  int32,
  NO_UUID,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  uuid,
} from '../schema.ts';

export const createTopicsApi = defineApi({
  name: 'CreateTopics',
  key: 19,
  versions: [2, 7],
  flexibleSince: 5,
  request: struct({
    topics: array(
      struct({
        name: string,
        /** -1: the broker's default, or as many as `assignments` has. */
        partitionCount: int32,
        replicationFactor: int16,
        assignments: array(struct({ index: int32, brokerIds: array(int32) })),
        configs: array(struct({ name: string, value: nullableString })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        topicId: since(7, uuid, NO_UUID),
        errorCode: int16,
        errorMessage: nullableString,
        /** -1 and null with an error. */
        partitionCount: since(5, int32, -1),
        replicationFactor: since(5, int16, -1),
        configs: since(
          5,
          nullableArray(
            struct({ name: string, value: nullableString, readOnly: boolean, source: int8, isSensitive: boolean }),
          ),
          null,
        ),
      }),
    ),
  }),
});
