import { defineApi } from '../api.ts';
import { array, boolean, bytes, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** Enters a group, or enters its next generation. Answered when every member has joined or its time is over. */
export const joinGroupApi = defineApi({
  name: 'JoinGroup',
  key: 11,
  versions: [0, 9],
  flexibleSince: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    /** Version 0 has none: the session's timeout stands for it. */
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    /** Why it joins, for people. */
    reason: since(8, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: int32,
    protocolType: since(7, nullableString, null),
    /** Null, from version 7 on, where there is none. */
    protocolName: nullableString,
    leader: string,
    /** The leader learns who is there, but the division stays as it is. */
    skipAssignment: since(9, boolean, false),
    memberId: string,
    /** Empty for everyone but the leader. */
    members: array(struct({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes })),
  }),
});
