import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, isFolderOwned, type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { connect, type StreamClient, type StreamConfig, StreamError } from '@tickfold/stream';
import { connectVolumes } from './cluster-client.ts';
import { VolumeError } from './errors.ts';
import { inProcessClient } from './in-process-client.ts';

const CLIENT_ID = 'tickfold';
/** Of a folder with an owner: it may be a broker that is just starting, or a command that is just ending. */
const PATIENCE_MS = 10_000;
const ATTEMPT_MS = 1_000;
const NEXT_LOOK_MS = 50;
const CLUSTER_MS = 10_000;
/** Only the broker knows what a volume may take, so only it removes what is too much. */
const NO_QUOTA_BYTES = Number.MAX_SAFE_INTEGER;

export interface OpenStreamsOptions {
  dataDir: string;
  /** `host:port` of the broker that owns the data folder while it runs. */
  brokers: string[];
  /** An Apache Kafka cluster that keeps the streams instead. */
  cluster?: StreamConfig | undefined;
  signal?: AbortSignal | undefined;
}

export interface OpenStreams {
  client: StreamClient;
  /** Whether a broker or a cluster does the work, or this process owns the folder until `close`. */
  through: 'broker' | 'cluster' | 'folder';
  close(): Promise<void>;
}

/**
 * Reaches the streams of a data folder wherever they are: through the broker while some process owns the folder, or
 * where there is no folder here; else the folder itself is opened. Where the streams are on a cluster, they are there only.
 * @throws VolumeError where neither is to be had
 * @throws EngineError where the folder cannot be opened
 */
export async function openStreams(options: OpenStreamsOptions): Promise<OpenStreams> {
  const { dataDir, signal, cluster } = options;
  if (cluster !== undefined) {
    const client = await connectVolumes({ connectTimeoutMs: CLUSTER_MS, ...cluster }, dataDir, signal);
    return { client, through: 'cluster', close: () => client.close() };
  }
  if (!(await isFolder(dataDir))) return throughBrokerAlone(options);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const isOwned = await isFolderOwned(dataDir);
    const opened = isOwned ? await throughBroker(options) : await throughFolder(dataDir);
    if (opened !== undefined) return opened;
    if (performance.now() > deadline) throw ownedWithoutBroker(options);
    await delay(NEXT_LOOK_MS);
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function throughBrokerAlone(options: OpenStreamsOptions): Promise<OpenStreams> {
  const opened = await throughBroker(options);
  if (opened !== undefined) return opened;
  throw new VolumeError(
    `There is no data folder ${options.dataDir}, and no broker answers at ${options.brokers.join(', ')}.`,
    'Start Tickfold, or set DATA_DIR to its data folder.',
  );
}

/** Undefined where none answers. */
async function throughBroker({ brokers, signal }: OpenStreamsOptions): Promise<OpenStreams | undefined> {
  try {
    const client = await connect({ brokers, clientId: CLIENT_ID, connectTimeoutMs: ATTEMPT_MS }, signal);
    return { client, through: 'broker', close: () => client.close() };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof StreamError && error.code === 'unreachable') return undefined;
    throw error;
  }
}

/** Undefined where another process took the folder in between. */
async function throughFolder(dataDir: string): Promise<OpenStreams | undefined> {
  let engine: LogEngine;
  try {
    engine = await openLogEngine({ dataDir, volumeQuotaBytes: NO_QUOTA_BYTES });
  } catch (error) {
    if (error instanceof EngineError && error.code === 'folder-in-use') return undefined;
    throw error;
  }
  const client = inProcessClient(engine, engine);
  const close = async () => {
    await client.close();
    await engine.close();
  };
  return { client, through: 'folder', close };
}

function ownedWithoutBroker({ dataDir, brokers }: OpenStreamsOptions): VolumeError {
  return new VolumeError(
    `The data folder ${dataDir} is in use by another process, but no broker answers at ${brokers.join(', ')}.`,
    'Set BROKERS to the address of the broker that runs on it, or end the other process.',
  );
}
