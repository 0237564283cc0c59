import { defineApi } from '../api.ts';
import { array, boolean, int16, int32, nullableString, string, struct } from '../schema.ts';

export const createTopicsApi = defineApi({
  name: 'CreateTopics',
  key: 19,
  versions: [2, 4],
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
    topics: array(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
  }),
});
