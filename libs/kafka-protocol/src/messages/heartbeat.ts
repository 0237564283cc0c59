import { defineApi } from '../api.ts';
import { int16, int32, nullableString, since, string, struct } from '../schema.ts';

/** Keeps a member in its group, and tells it of a rebalance. */
export const heartbeatApi = defineApi({
  name: 'Heartbeat',
  key: 12,
  versions: [0, 4],
  flexibleSince: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  }),
  response: struct({ throttleTimeMs: since(1, int32, 0), errorCode: int16 }),
});
