import { defineApi } from '../api.ts';
import { array, bytes, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** Enters a group, or enters its next generation. Answered when every member has joined or its time is over. */
export const joinGroupApi = defineApi({
  name: 'JoinGroup',
  key: 11,
  versions: [0, 5],
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    /** Version 0 has none: the session's timeout stands for it. */
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: int32,
    protocolName: string,
    leader: string,
    memberId: string,
    /** Empty for everyone but the leader. */
    members: array(struct({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes })),
  }),
});
