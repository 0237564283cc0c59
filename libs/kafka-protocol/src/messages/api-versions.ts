import { defineApi } from '../api.ts';
import { array, int16, int32, since, string, struct } from '../schema.ts';

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
  response: struct({
    errorCode: int16,
    apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
    throttleTimeMs: since(1, int32, 0),
  }),
});
