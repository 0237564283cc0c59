import { defineApi } from '../api.ts';
import { array, int16, int32, since, string, struct } from '../schema.ts';

/** Every group, those that only have offsets included. */
export const listGroupsApi = defineApi({
  name: 'ListGroups',
  key: 16,
  versions: [0, 5],
  flexibleSince: 3,
  request: struct({
    /** Empty: groups of any state; so too for types. */
    states: since(4, array(string), []),
    types: since(5, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: array(
      struct({
        groupId: string,
        protocolType: string,
        state: since(4, string, ''),
        type: since(5, string, ''),
      }),
    ),
  }),
});
