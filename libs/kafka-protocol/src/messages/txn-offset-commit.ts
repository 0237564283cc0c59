import { defineApi } from '../api.ts';
import { array, int16, int32, int64, nullableString, since, string, struct } from '../schema.ts';

/** Offsets that a group gets when the transaction commits. Generation -1 with an empty member id: no membership. */
export const txnOffsetCommitApi = defineApi({
  name: 'TxnOffsetCommit',
  key: 28,
  versions: [0, 5],
  flexibleSince: 3,
  request: struct({
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, int32, -1),
    memberId: since(3, string, ''),
    groupInstanceId: since(3, nullableString, null),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(2, int32, -1),
            committedMetadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
});
