import { defineApi } from '../api.ts';
import { array, boolean, int16, int32, nullableArray, nullableString, string, struct } from '../schema.ts';

/** Gives topics more partitions. */
export const createPartitionsApi = defineApi({
  name: 'CreatePartitions',
  key: 37,
  versions: [0, 3],
  flexibleSince: 2,
  request: struct({
    topics: array(
      struct({
        name: string,
        /** How many there shall be, with those that there are. */
        count: int32,
        /** null: the broker decides. One for each new partition otherwise. */
        assignments: nullableArray(struct({ brokerIds: array(int32) })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
  }),
});
