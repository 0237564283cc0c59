import { defineApi } from '../api.ts';
import { array, boolean, int8, int16, int32, nullableString, since, string, struct } from '../schema.ts';

export const endpointTypes = { brokers: 1, controllers: 2 } as const;

/** Brokers and controller, without the topics of Metadata. */
export const describeClusterApi = defineApi({
  name: 'DescribeCluster',
  key: 60,
  versions: [0, 2],
  flexibleSince: 0,
  request: struct({
    includeClusterAuthorizedOperations: boolean,
    endpointType: since(1, int8, endpointTypes.brokers),
    includeFencedBrokers: since(2, boolean, false),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    endpointType: since(1, int8, endpointTypes.brokers),
    clusterId: string,
    controllerId: int32,
    brokers: array(
      struct({
        nodeId: int32,
        host: string,
        port: int32,
        rack: nullableString,
        isFenced: since(2, boolean, false),
      }),
    ),
    clusterAuthorizedOperations: int32,
  }),
});
