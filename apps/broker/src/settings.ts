import { readInteger, readPort, readText, UsageError } from '@tickfold/app-runtime';
import {
  DEFAULT_GROUP_SETTINGS,
  DEFAULT_LIMITS,
  type GroupSettings,
  type Limits,
  type Listener,
} from '@tickfold/broker';
import type { EngineOptions, Visibility } from '@tickfold/log-engine';

type Env = Readonly<Record<string, string | undefined>>;

export interface BrokerSettings {
  engine: Pick<EngineOptions, 'volumeQuotaBytes' | 'reserveBytes' | 'visibility'> & { dataDir: string };
  listeners: Listener[];
  socketPath?: string;
  /** Of a topic that is made without saying how many. */
  defaultPartitionCount: number;
  /** Whether a topic is made that a client asks for by name. */
  autoCreateTopics: boolean;
  limits: Pick<Limits, 'connections' | 'frameBytes' | 'idleMs'>;
  groups: Pick<GroupSettings, 'offsetsRetentionMs'>;
}

const VISIBILITIES: readonly string[] = ['synced', 'written'] satisfies Visibility[];
const SMALLEST_QUOTA_BYTES = 1024 * 1024;
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;
const MOST_PARTITIONS = 10_000;
const DEFAULT_RESERVE_BYTES = 64 * 1024 ** 2;
const SMALLEST_FRAME_BYTES = 64 * 1024;
const LARGEST_FRAME_BYTES = 1024 ** 3;
const SMALLEST_IDLE_MS = 1_000;
const MOST_TIMER_MS = 2 ** 31 - 1;
const MINUTE_MS = 60_000;

/**
 * What the environment says of the broker. `DATA_DIR`, `VOLUME_QUOTA_BYTES`, `DISK_RESERVE_BYTES`,
 * `VOLUME_VISIBILITY`; `DEFAULT_PARTITIONS`, `AUTO_CREATE_TOPICS`, `OFFSETS_RETENTION_MINUTES`; `MAX_CONNECTIONS`,
 * `MAX_REQUEST_BYTES`, `CONNECTION_IDLE_MS`; `HOST` and `BROKER_PORT` with `BROKER_ADVERTISED_HOST`
 * and `BROKER_ADVERTISED_PORT`, where clients reach them under another address; `BROKER_INTERNAL_PORT` with `BROKER_INTERNAL_HOST`, for clients inside a network of containers;
 * `BROKER_SOCKET`, the path of a Unix socket for clients of the same user on this machine.
 * @throws UsageError
 */
export function readSettings(env: Env): BrokerSettings {
  const host = readText(env, 'HOST', '127.0.0.1');
  const port = readPort(env, 'BROKER_PORT', 9092);
  const advertisedPort = readPort(env, 'BROKER_ADVERTISED_PORT', port);
  const listeners: Listener[] = [
    {
      name: 'BROKER_PORT',
      host,
      port,
      advertisedHost: readText(env, 'BROKER_ADVERTISED_HOST', reachable(host)),
      ...(advertisedPort === 0 ? {} : { advertisedPort }),
    },
  ];
  if (readText(env, 'BROKER_INTERNAL_PORT', '') !== '') {
    listeners.push({
      name: 'BROKER_INTERNAL_PORT',
      host: '0.0.0.0',
      port: readPort(env, 'BROKER_INTERNAL_PORT', 9094),
      advertisedHost: readText(env, 'BROKER_INTERNAL_HOST', 'broker'),
    });
  }
  const socketPath = readText(env, 'BROKER_SOCKET', '');
  const defaultMinutes = DEFAULT_GROUP_SETTINGS.offsetsRetentionMs / MINUTE_MS;
  return {
    engine: {
      dataDir: readText(env, 'DATA_DIR', 'data/volumes'),
      volumeQuotaBytes: readInteger(env, 'VOLUME_QUOTA_BYTES', DEFAULT_QUOTA_BYTES, { min: SMALLEST_QUOTA_BYTES }),
      reserveBytes: readInteger(env, 'DISK_RESERVE_BYTES', DEFAULT_RESERVE_BYTES, { min: 0 }),
      visibility: readVisibility(env),
    },
    listeners,
    ...(socketPath === '' ? {} : { socketPath }),
    defaultPartitionCount: readInteger(env, 'DEFAULT_PARTITIONS', 1, { min: 1, max: MOST_PARTITIONS }),
    autoCreateTopics: readSwitch(env, 'AUTO_CREATE_TOPICS', true),
    limits: {
      connections: readInteger(env, 'MAX_CONNECTIONS', DEFAULT_LIMITS.connections, { min: 1 }),
      frameBytes: readInteger(env, 'MAX_REQUEST_BYTES', DEFAULT_LIMITS.frameBytes, {
        min: SMALLEST_FRAME_BYTES,
        max: LARGEST_FRAME_BYTES,
      }),
      idleMs: readInteger(env, 'CONNECTION_IDLE_MS', DEFAULT_LIMITS.idleMs, {
        min: SMALLEST_IDLE_MS,
        max: MOST_TIMER_MS,
      }),
    },
    groups: {
      offsetsRetentionMs: readInteger(env, 'OFFSETS_RETENTION_MINUTES', defaultMinutes, { min: 1 }) * MINUTE_MS,
    },
  };
}

function readSwitch(env: Env, name: string, fallback: boolean): boolean {
  const text = readText(env, name, String(fallback));
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UsageError(
    `${name}=${text} is neither true nor false.`,
    `Set ${name} to one of them, or unset it for ${fallback}.`,
  );
}

function readVisibility(env: Env): Visibility {
  const text = readText(env, 'VOLUME_VISIBILITY', 'synced');
  if (!VISIBILITIES.includes(text)) {
    throw new UsageError(
      `VOLUME_VISIBILITY=${text} is neither synced nor written.`,
      'Set it to synced (readers see what a power cut cannot take back) or written (faster).',
    );
  }
  return text as Visibility;
}

/** Nobody can connect to "every address"; from this machine the loopback is one of them. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
