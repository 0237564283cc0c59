import { EngineError, listSnapshots, openSnapshot, type SnapshotManifest } from '@tickfold/log-engine';
import type { StreamClient } from '@tickfold/stream';
import { VolumeError } from './errors.ts';
import { inProcessClient } from './in-process-client.ts';
import type { OpenStreams } from './open-streams.ts';

/** A volume to look at, live or frozen. */
export interface VolumeView {
  /** As it was asked for: `market`, `market@open`. */
  ref: string;
  volume: string;
  /** Reads it. */
  client: StreamClient;
  /** Of a snapshot. */
  manifest?: SnapshotManifest;
  close(): Promise<void>;
}

export interface OpenVolumeOptions {
  /** Where snapshots lie. */
  dataDir: string;
  /** Where volumes are reached. They stay open when the view is closed. */
  streams: OpenStreams;
}

/**
 * Opens `VOLUME` or `VOLUME@SNAPSHOT`.
 * @throws VolumeError where there is none of that name; it tells which there are
 * @throws EngineError `illegal-name`, `snapshot-damaged`, `format-newer`
 */
export async function openVolume(ref: string, { dataDir, streams }: OpenVolumeOptions): Promise<VolumeView> {
  return ref.includes('@') ? openFrozen(ref, dataDir) : openLive(ref, streams.client);
}

async function openLive(ref: string, client: StreamClient): Promise<VolumeView> {
  const names = (await client.volumes.list()).map(({ name }) => name);
  if (!names.includes(ref)) throw unknown('volume', ref, names);
  return { ref, volume: ref, client, close: async () => {} };
}

async function openFrozen(ref: string, dataDir: string): Promise<VolumeView> {
  try {
    const snapshot = await openSnapshot(dataDir, ref);
    const { manifest } = snapshot;
    const client = inProcessClient(snapshot);
    const close = async () => {
      await client.close();
      await snapshot.close();
    };
    return { ref, volume: manifest.volume, client, manifest, close };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'unknown-snapshot') throw error;
    const snapshots = await listSnapshots(dataDir);
    throw unknown(
      'snapshot',
      ref,
      snapshots.map(({ name }) => name),
    );
  }
}

function unknown(what: 'volume' | 'snapshot', ref: string, names: string[]): VolumeError {
  const there = names.length === 0 ? `There is no ${what} yet.` : `There are: ${names.sort().join(', ')}.`;
  const mend = names.length === 0 ? `Make the ${what} first.` : 'Name one of these.';
  return new VolumeError(`There is no ${what} '${ref}'. ${there}`, mend);
}
