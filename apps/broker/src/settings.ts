import { readInteger, readPort, readText, UsageError } from '@tickfold/app-runtime';
import type { Listener } from '@tickfold/broker';
import type { EngineOptions, Visibility } from '@tickfold/log-engine';

type Env = Readonly<Record<string, string | undefined>>;

export interface BrokerSettings {
  engine: Pick<EngineOptions, 'volumeQuotaBytes' | 'reserveBytes' | 'visibility'> & { dataDir: string };
  listeners: Listener[];
  /** Of a topic that is made without saying how many. */
  defaultPartitionCount: number;
}

const VISIBILITIES: readonly string[] = ['synced', 'written'] satisfies Visibility[];
const SMALLEST_QUOTA_BYTES = 1024 * 1024;
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;
const MOST_PARTITIONS = 10_000;
const DEFAULT_RESERVE_BYTES = 64 * 1024 ** 2;

/**
 * What the environment says of the broker. `DATA_DIR`, `VOLUME_QUOTA_BYTES`, `DISK_RESERVE_BYTES`,
 * `VOLUME_VISIBILITY`, `DEFAULT_PARTITIONS`; `HOST` and `BROKER_PORT` with `BROKER_ADVERTISED_HOST` and `BROKER_ADVERTISED_PORT`, where clients reach them under another
 * address; `BROKER_INTERNAL_PORT` with `BROKER_INTERNAL_HOST`, for clients inside a network of containers.
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
  return {
    engine: {
      dataDir: readText(env, 'DATA_DIR', 'data/volumes'),
      volumeQuotaBytes: readInteger(env, 'VOLUME_QUOTA_BYTES', DEFAULT_QUOTA_BYTES, { min: SMALLEST_QUOTA_BYTES }),
      reserveBytes: readInteger(env, 'DISK_RESERVE_BYTES', DEFAULT_RESERVE_BYTES, { min: 0 }),
      visibility: readVisibility(env),
    },
    listeners,
    defaultPartitionCount: readInteger(env, 'DEFAULT_PARTITIONS', 1, { min: 1, max: MOST_PARTITIONS }),
  };
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
