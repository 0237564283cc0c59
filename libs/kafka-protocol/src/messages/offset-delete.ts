import { defineApi } from '../api.ts';
import { array, int16, int32, string, struct } from '../schema.ts';

/** Forgets single offsets of a group. */
export const offsetDeleteApi = defineApi({
  name: 'OffsetDelete',
  key: 47,
  versions: [0, 0],
  request: struct({
    groupId: string,
    topics: array(struct({ name: string, partitions: array(struct({ index: int32 })) })),
  }),
  response: struct({
    errorCode: int16,
    throttleTimeMs: int32,
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
});
