import { apis, errorCodes } from '@tickfold/kafka-protocol';
import { type Route, route } from '../route.ts';

/** Nobody is limited, and nobody has a password: the lists that tools show are empty. */
export function accountRoutes(): Route[] {
  return [
    route(apis.describeClientQuotas, () => ({
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      errorMessage: null,
      entries: [],
    })),
    route(apis.describeUserScramCredentials, ({ users }) => ({
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      errorMessage: null,
      results: (users ?? []).map(({ name }) => ({
        user: name,
        errorCode: errorCodes.RESOURCE_NOT_FOUND,
        errorMessage: `there is no user '${name}'`,
        credentials: [],
      })),
    })),
  ];
}
