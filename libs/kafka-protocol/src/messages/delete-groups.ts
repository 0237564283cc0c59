import { defineApi } from '../api.ts';
import { array, int16, int32, string, struct } from '../schema.ts';

/** Removes groups without members, with their offsets. */
export const deleteGroupsApi = defineApi({
  name: 'DeleteGroups',
  key: 42,
  versions: [0, 2],
  flexibleSince: 2,
  request: struct({ groups: array(string) }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ groupId: string, errorCode: int16 })),
  }),
});
