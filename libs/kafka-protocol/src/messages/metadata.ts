import { defineApi } from '../api.ts';
import { array, boolean, int16, int32, nullableArray, nullableString, since, string, struct } from '../schema.ts';

/** "Not asked for" where a set of authorized operations stands. */
export const OPERATIONS_NOT_ASKED = -2_147_483_648;

/** Brokers, topics and who leads each partition. */
export const metadataApi = defineApi({
  name: 'Metadata',
  key: 3,
  versions: [0, 9],
  flexibleSince: 9,
  // librdkafka 2.x asks for all topics with four bytes of count where a flexible null has one. Kafka overlooks it too.
  requestMayTrail: true,
  request: struct({
    /** null: all topics. In version 0 an empty array says that. */
    topics: nullableArray(struct({ name: string })),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: since(8, boolean, false),
    includeTopicAuthorizedOperations: since(8, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: since(1, nullableString, null) })),
    clusterId: since(2, nullableString, null),
    controllerId: since(1, int32, -1),
    topics: array(
      struct({
        errorCode: int16,
        name: string,
        isInternal: since(1, boolean, false),
        partitions: array(
          struct({
            errorCode: int16,
            index: int32,
            leaderId: int32,
            leaderEpoch: since(7, int32, -1),
            replicaNodes: array(int32),
            isrNodes: array(int32),
            offlineReplicas: since(5, array(int32), []),
          }),
        ),
        authorizedOperations: since(8, int32, OPERATIONS_NOT_ASKED),
      }),
    ),
    clusterAuthorizedOperations: since(8, int32, OPERATIONS_NOT_ASKED),
  }),
});
