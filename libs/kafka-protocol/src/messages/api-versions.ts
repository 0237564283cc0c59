import { defineApi } from '../api.ts';
import { array, int16, int32, int64, since, string, struct, tagged } from '../schema.ts';

/** For tagged fields that are not there. */
export const NO_FEATURES: readonly never[] = [];

/**
 * What a server speaks. The first request on a connection: its version may be newer than the server's, which then
 * answers at version 0 with UNSUPPORTED_VERSION and the range of this API.
 */
export const apiVersionsApi = defineApi({
  name: 'ApiVersions',
  key: 18,
  versions: [0, 4],
  flexibleSince: 3,
  request: struct({
    clientSoftwareName: since(3, string, ''),
    clientSoftwareVersion: since(3, string, ''),
  }),
  response: struct(
    {
      errorCode: int16,
      apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
      throttleTimeMs: since(1, int32, 0),
    },
    {
      /** What could be switched on. */
      supportedFeatures: tagged(0, array(struct({ name: string, minVersion: int16, maxVersion: int16 })), NO_FEATURES),
      /** Tells later sets of features from earlier ones; -1: it is not known. */
      finalizedFeaturesEpoch: tagged(1, int64, -1n),
      /** What is switched on. */
      finalizedFeatures: tagged(2, array(struct({ name: string, maxLevel: int16, minLevel: int16 })), NO_FEATURES),
    },
  ),
});
