import type { StreamConfig } from './api.ts';
import { StreamError } from './errors.ts';
import { kafkaSettingsFromEnv } from './kafka/settings.ts';

const DEFAULT_BROKER = '127.0.0.1:9092';

const UNIX_SOCKET = 'unix:';

/** Where a broker listens: a port, or a Unix socket on this machine. */
export type BrokerAddress = { host: string; port: number } | { path: string };

/**
 * Reads `STREAM_ENGINE` (`embedded`, `kafka`) and the addresses of its brokers, `host:port`, several with commas: `BROKERS`
 * of the embedded engine, which may also be `unix:/path/of/a/socket`, `KAFKA_BROKERS` of the other, with its settings (see `kafka/settings.ts`).
 * @throws StreamError `bad-setting`
 */
export function streamConfigFromEnv(env: Record<string, string | undefined>, clientId: string): StreamConfig {
  const engine = env.STREAM_ENGINE || 'embedded';
  if (engine === 'embedded') return { brokers: brokersFrom(env.BROKERS || DEFAULT_BROKER, 'BROKERS'), clientId };
  if (engine !== 'kafka') {
    throw new StreamError('bad-setting', `STREAM_ENGINE=${engine} names no engine`, {
      mend: 'Set STREAM_ENGINE=kafka, or leave it out for the embedded one.',
    });
  }
  if (!env.KAFKA_BROKERS) {
    throw new StreamError('bad-setting', 'STREAM_ENGINE=kafka has no KAFKA_BROKERS', {
      mend: 'Set KAFKA_BROKERS=host:port to one or more brokers of the cluster, for example KAFKA_BROKERS=127.0.0.1:9092.',
    });
  }
  const brokers = brokersFrom(env.KAFKA_BROKERS, 'KAFKA_BROKERS');
  return { engine, brokers, clientId, kafka: kafkaSettingsFromEnv(env) };
}

function brokersFrom(list: string, setting: string): string[] {
  const brokers = list.split(',').map((address) => address.trim());
  for (const address of brokers) parseBrokerAddress(address, setting);
  return brokers;
}

/**
 * `host:port`, `[v6 address]:port`; of `BROKERS` also `unix:/path`.
 * @param setting where the address was written
 * @throws StreamError `bad-setting`
 */
export function parseBrokerAddress(address: string, setting = 'BROKERS'): BrokerAddress {
  const path = address.slice(UNIX_SOCKET.length);
  if (setting === 'BROKERS' && address.startsWith(UNIX_SOCKET) && path.startsWith('/')) return { path };
  const [, host, portText] = /^(\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(portText);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new StreamError('bad-setting', `'${address}' is no broker address`, {
      mend: `Write ${setting}=host:port with a port from 1 to 65535, for example ${setting}=127.0.0.1:9092.`,
    });
  }
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
