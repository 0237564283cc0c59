import { apis, endpointTypes, errorCodes } from '@tickfold/kafka-protocol';
import { authorizedOperations } from '../authorized-operations.ts';
import { CLUSTER_ID, NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

export function describeClusterRoute(): Route {
  return route(
    apis.describeCluster,
    ({ endpointType, includeClusterAuthorizedOperations }, { advertisedHost, advertisedPort }) => {
      const answer = {
        throttleTimeMs: 0,
        errorCode: errorCodes.NONE,
        errorMessage: null,
        endpointType,
        clusterId: CLUSTER_ID,
        controllerId: NODE_ID,
        brokers: [{ nodeId: NODE_ID, host: advertisedHost, port: advertisedPort, rack: null, isFenced: false }],
        clusterAuthorizedOperations: authorizedOperations('cluster', includeClusterAuthorizedOperations),
      };
      if (endpointType === endpointTypes.brokers) return answer;
      const isKnown = endpointType === endpointTypes.controllers;
      return {
        ...answer,
        brokers: [],
        errorCode: isKnown ? errorCodes.MISMATCHED_ENDPOINT_TYPE : errorCodes.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: isKnown ? 'this is a broker, not a controller' : `there is no endpoint type ${endpointType}`,
      };
    },
  );
}
