import { defineApi } from '../api.ts';
import { array, boolean, bytes, int16, int32, nullableString, since, string, struct } from '../schema.ts';
import { OPERATIONS_NOT_ASKED } from './metadata.ts';

/** State and members of groups. */
export const describeGroupsApi = defineApi({
  name: 'DescribeGroups',
  key: 15,
  versions: [0, 6],
  flexibleSince: 5,
  request: struct({
    groups: array(string),
    includeAuthorizedOperations: since(3, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: since(6, nullableString, null),
        groupId: string,
        /** PreparingRebalance, CompletingRebalance, Stable, Empty or Dead. */
        state: string,
        protocolType: string,
        protocolData: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: since(4, nullableString, null),
            clientId: string,
            clientHost: string,
            metadata: bytes,
            assignment: bytes,
          }),
        ),
        authorizedOperations: since(3, int32, OPERATIONS_NOT_ASKED),
      }),
    ),
  }),
});
