import { defineApi } from '../api.ts';
import { array, bytes, int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** The leader hands in who reads what; every member gets its part. */
export const syncGroupApi = defineApi({
  name: 'SyncGroup',
  key: 14,
  versions: [0, 5],
  flexibleSince: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignments: array(struct({ memberId: string, assignment: bytes })),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignment: bytes,
  }),
});
