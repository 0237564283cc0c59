import { apis, encodeResponse, errorCodes, NO_FEATURES } from '@tickfold/kafka-protocol';
import { type Route, route } from '../route.ts';

/**
 * Kafka's level 2 of transactions (KIP-890): each one has an epoch of its own, and needs no announcements. Clients go by it
 * only where it is switched on. Before version 4 of ApiVersions, features that may be off could not be listed.
 */
const TRANSACTIONS = 'transaction.version';
const TRANSACTIONS_LEVEL = 2;
const FEATURES_SINCE = 4;
const FEATURES = {
  supportedFeatures: [{ name: TRANSACTIONS, minVersion: 0, maxVersion: TRANSACTIONS_LEVEL }],
  finalizedFeaturesEpoch: 0n,
  finalizedFeatures: [{ name: TRANSACTIONS, maxLevel: TRANSACTIONS_LEVEL, minLevel: TRANSACTIONS_LEVEL }],
};
const WITHOUT_FEATURES = {
  supportedFeatures: NO_FEATURES,
  finalizedFeaturesEpoch: -1n,
  finalizedFeatures: NO_FEATURES,
};

/** Lists every route, this one included. */
export function apiVersionsRoute(routes: readonly Route[]): Route {
  const apiKeys = [...routes, { ...apis.apiVersions, api: apis.apiVersions }].map(
    ({ api, minVersion, maxVersion }) => ({
      apiKey: api.key,
      minVersion,
      maxVersion,
    }),
  );
  return route(apis.apiVersions, (_, { version }) => ({
    errorCode: errorCodes.NONE,
    apiKeys,
    throttleTimeMs: 0,
    ...(version >= FEATURES_SINCE ? FEATURES : WITHOUT_FEATURES),
  }));
}

/** To a client newer than this broker: version 0, which every client reads, with the versions that it may use instead. */
export function answerUnknownApiVersions(correlationId: number): Buffer[] {
  const { key: apiKey, minVersion, maxVersion } = apis.apiVersions;
  return encodeResponse(apis.apiVersions, 0, correlationId, {
    errorCode: errorCodes.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey, minVersion, maxVersion }],
    throttleTimeMs: 0,
    ...WITHOUT_FEATURES,
  });
}
