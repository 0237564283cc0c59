import { apis, errorCodes } from '@tickfold/kafka-protocol';
import { type Route, route } from '../route.ts';

/** As a Kafka broker without an authorizer says it. */
const NO_AUTHORIZER = {
  errorCode: errorCodes.SECURITY_DISABLED,
  errorMessage: 'No authorizer is configured: everybody who can connect may do everything.',
};

export function aclRoutes(): Route[] {
  return [
    route(apis.describeAcls, () => ({ throttleTimeMs: 0, ...NO_AUTHORIZER, resources: [] })),
    route(apis.createAcls, ({ creations }) => ({ throttleTimeMs: 0, results: creations.map(() => NO_AUTHORIZER) })),
    route(apis.deleteAcls, ({ filters }) => ({
      throttleTimeMs: 0,
      filterResults: filters.map(() => ({ ...NO_AUTHORIZER, matchingAcls: [] })),
    })),
  ];
}
