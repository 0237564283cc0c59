import { defineApi } from '../api.ts';
import { int8, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** Which broker coordinates a group (key type 0) or a transactional id (key type 1). */
export const findCoordinatorApi = defineApi({
  name: 'FindCoordinator',
  key: 10,
  versions: [0, 2],
  request: struct({ key: string, keyType: since(1, int8, 0) }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    errorMessage: since(1, nullableString, null),
    nodeId: int32,
    host: string,
    port: int32,
  }),
});
