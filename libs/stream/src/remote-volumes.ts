import { type Api, apis, errorCodes, errorName } from '@tickfold/kafka-protocol';
import type { SnapshotInfo, VolumeAdmin, VolumeInfo } from './api.ts';
import type { Connection } from './connection.ts';
import { StreamError } from './errors.ts';

const VERSION = 0;
/** From here on a snapshot may be one of several volumes. */
const SEVERAL_VOLUMES_VERSION = 1;
const API_VERSIONS_VERSION = 0;
/** A snapshot that has to be copied takes as long as its disk needs. Who loses patience closes the client. */
const LONGEST_WORK_MS = 60 * 60_000;

interface Outcome {
  errorCode: number;
  reason: string | null;
  errorMessage: string | null;
  mend: string | null;
}

/** Asks a broker about its volumes; each request has a connection of its own, so that it holds up nobody else. */
export class RemoteVolumes implements VolumeAdmin {
  readonly #open: () => Promise<Connection>;

  constructor(open: () => Promise<Connection>) {
    this.#open = open;
  }

  async list(): Promise<VolumeInfo[]> {
    const { volumes } = await this.#ask(apis.describeVolumes, {}, 'the volumes cannot be listed');
    return volumes.map(({ name, sizeBytes, topicCount, stopped }) => ({
      name,
      sizeBytes: Number(sizeBytes),
      topics: topicCount,
      stopped,
    }));
  }

  async createSnapshot(
    name: string,
    pins: Readonly<Record<string, unknown>>,
    others: readonly string[] = [],
  ): Promise<SnapshotInfo> {
    const what = `snapshot '${name}' was not taken`;
    const version = others.length > 0 ? SEVERAL_VOLUMES_VERSION : VERSION;
    const request = { name, pins: JSON.stringify(pins), others: [...others] };
    const { manifest } = await this.#ask(apis.createSnapshot, request, what, version);
    try {
      return JSON.parse(manifest ?? '');
    } catch (cause) {
      throw new StreamError('rejected', `${what}: the broker's answer holds no manifest`, { cause });
    }
  }

  async adopt(stagingId: string): Promise<void> {
    await this.#ask(apis.adoptVolume, { stagingId }, `what was staged as '${stagingId}' was not adopted`);
  }

  async delete(name: string): Promise<void> {
    await this.#ask(apis.deleteVolume, { name }, `volume '${name}' was not deleted`);
  }

  async #ask<Request, Response extends Outcome>(
    api: Api<Request, Response>,
    request: Request,
    what: string,
    version = VERSION,
  ): Promise<Response> {
    const connection = await this.#open();
    try {
      await expectServed(connection, api, version);
      const response = await connection.request(api, version, request, LONGEST_WORK_MS);
      throwIfRefused(response, what);
      return response;
    } finally {
      connection.close();
    }
  }
}

/** A broker that does not know a request ends its connection: it has to be asked before. */
async function expectServed(connection: Connection, api: { key: number }, version: number): Promise<void> {
  const request = { clientSoftwareName: '', clientSoftwareVersion: '' };
  const { apiKeys } = await connection.request(apis.apiVersions, API_VERSIONS_VERSION, request);
  const isServed = apiKeys.some(
    ({ apiKey, minVersion, maxVersion }) => apiKey === api.key && minVersion <= version && version <= maxVersion,
  );
  if (!isServed) throw new StreamError('no-volumes', `the broker at ${connection.address} keeps no volumes`);
}

function throwIfRefused({ errorCode, reason, errorMessage, mend }: Outcome, what: string): void {
  if (errorCode === errorCodes.NONE) return;
  if (reason === null) {
    const said = errorMessage ?? errorName(errorCode);
    throw new StreamError('rejected', `${what}: ${said}`, { mend: mend ?? undefined });
  }
  throw new StreamError('volume-refused', errorMessage ?? what, { reason, mend: mend ?? undefined });
}
