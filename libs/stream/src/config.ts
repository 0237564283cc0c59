import type { StreamConfig } from './api.ts';
import { StreamError } from './errors.ts';

const DEFAULT_BROKER = '127.0.0.1:9092';

export interface BrokerAddress {
  host: string;
  port: number;
}

/**
 * Reads `STREAM_ENGINE` (`embedded`) and `BROKERS` (`host:port`, several with commas).
 * @throws StreamError `bad-setting`
 */
export function streamConfigFromEnv(env: Record<string, string | undefined>, clientId: string): StreamConfig {
  const engine = env.STREAM_ENGINE || 'embedded';
  if (engine !== 'embedded') {
    const known = engine === 'kafka' ? 'is not available in this version' : 'names no engine';
    throw new StreamError('bad-setting', `STREAM_ENGINE=${engine} ${known}`, {
      mend: 'Leave STREAM_ENGINE out, or set STREAM_ENGINE=embedded.',
    });
  }
  const brokers = (env.BROKERS || DEFAULT_BROKER).split(',').map((address) => address.trim());
  brokers.forEach(parseBrokerAddress);
  return { brokers, clientId };
}

/**
 * `host:port`, `[v6 address]:port`.
 * @throws StreamError `bad-setting`
 */
export function parseBrokerAddress(address: string): BrokerAddress {
  const [, host, portText] = /^(\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(portText);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new StreamError('bad-setting', `'${address}' is no broker address`, {
      mend: 'Write BROKERS=host:port with a port from 1 to 65535, for example BROKERS=127.0.0.1:9092.',
    });
  }
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
