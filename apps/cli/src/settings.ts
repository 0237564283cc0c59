import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readInteger, readPort, readText } from '@tickfold/app-runtime';

/** The broker's own bounds. */
const SMALLEST_QUOTA_BYTES = 1024 * 1024;
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

type Env = Readonly<Record<string, string | undefined>>;

/** Where the running system is, or where it would be. */
export interface Settings {
  /** Absolute. */
  dataDir: string;
  /** `host:port` */
  brokers: string;
  /** Says how the Apache Kafka cluster is reached that keeps the streams, where one does. */
  cluster?: Env;
  /** How much the broker lets a volume hold, where that was set. */
  volumeQuotaBytes?: number;
}

/**
 * The same variables and defaults as `npm start` has, so that both mean the same system; a relative `DATA_DIR` begins at
 * the repository's root.
 * @throws UsageError
 */
export function readSettings(env: Env): Settings {
  const host = readText(env, 'HOST', '127.0.0.1');
  const port = readPort(env, 'BROKER_PORT', 9092);
  return {
    dataDir: resolve(REPOSITORY, readText(env, 'DATA_DIR', 'data/volumes')),
    brokers: readText(env, 'BROKERS', `${reachable(host)}:${port}`),
    ...(readText(env, 'STREAM_ENGINE', 'embedded') === 'embedded' ? {} : { cluster: env }),
    ...readQuota(env),
  };
}

function readQuota(env: Env): Pick<Settings, 'volumeQuotaBytes'> {
  if (readText(env, 'VOLUME_QUOTA_BYTES', '') === '') return {};
  const range = { min: SMALLEST_QUOTA_BYTES };
  return { volumeQuotaBytes: readInteger(env, 'VOLUME_QUOTA_BYTES', DEFAULT_QUOTA_BYTES, range) };
}

/** A wildcard address is reached by its loopback name; an IPv6 address is told from its port by brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
