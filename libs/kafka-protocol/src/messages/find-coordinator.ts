import { defineApi } from '../api.ts';
import { array, between, int8, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** What may have a coordinator. */
export const coordinatorTypes = { group: 0, transaction: 1 } as const;

/** Which broker coordinates a group or a transactional id: one up to version 3, several from version 4 on. */
export const findCoordinatorApi = defineApi({
  name: 'FindCoordinator',
  key: 10,
  versions: [0, 4],
  flexibleSince: 3,
  request: struct({
    key: between(0, 3, string, ''),
    keyType: since(1, int8, coordinatorTypes.group),
    keys: since(4, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: between(0, 3, int16, 0),
    errorMessage: between(1, 3, nullableString, null),
    nodeId: between(0, 3, int32, -1),
    host: between(0, 3, string, ''),
    port: between(0, 3, int32, -1),
    coordinators: since(
      4,
      array(
        struct({
          key: string,
          nodeId: int32,
          host: string,
          port: int32,
          errorCode: int16,
          errorMessage: nullableString,
        }),
      ),
      [],
    ),
  }),
});
