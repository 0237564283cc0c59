import { defineApi } from '../api.ts';
import { array, between, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** Members leave a group at once instead of by expiry: one up to version 2, several from version 3 on. */
export const leaveGroupApi = defineApi({
  name: 'LeaveGroup',
  key: 13,
  versions: [0, 5],
  flexibleSince: 4,
  request: struct({
    groupId: string,
    memberId: between(0, 2, string, ''),
    members: since(
      3,
      array(struct({ memberId: string, groupInstanceId: nullableString, reason: since(5, nullableString, null) })),
      [],
    ),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(3, array(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 })), []),
  }),
});
