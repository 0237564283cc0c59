import { apis, encodeResponse, errorCodes } from '@tickfold/kafka-protocol';
import { type Route, route } from '../route.ts';

/** Lists every route, this one included. */
export function apiVersionsRoute(routes: readonly Route[]): Route {
  const apiKeys = [...routes, { ...apis.apiVersions, api: apis.apiVersions }].map(
    ({ api, minVersion, maxVersion }) => ({
      apiKey: api.key,
      minVersion,
      maxVersion,
    }),
  );
  return route(apis.apiVersions, () => ({ errorCode: errorCodes.NONE, apiKeys, throttleTimeMs: 0 }));
}

/** To a client newer than this broker: version 0, which every client reads, with the versions that it may use instead. */
export function answerUnknownApiVersions(correlationId: number): Buffer[] {
  const { key: apiKey, minVersion, maxVersion } = apis.apiVersions;
  return encodeResponse(apis.apiVersions, 0, correlationId, {
    errorCode: errorCodes.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey, minVersion, maxVersion }],
    throttleTimeMs: 0,
  });
}
