import { readFileSync } from 'node:fs';
import type { KafkaSettings } from '../api.ts';
import { StreamError } from '../errors.ts';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

type Env = Record<string, string | undefined>;

/**
 * Reads the settings of the Kafka engine:
 *
 * ```
 * KAFKA_SASL_MECHANISM       plain, scram-sha-256 or scram-sha-512, with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD
 * KAFKA_TLS                  true: TLS, with the certificate authorities that Node.js knows
 * KAFKA_TLS_CA_FILE          TLS, with the certificate authorities of this PEM file
 * KAFKA_TLS_CERT_FILE        this client's own certificate (PEM), with KAFKA_TLS_KEY_FILE and KAFKA_TLS_KEY_PASSWORD
 * KAFKA_REPLICATION_FACTOR   copies of the topics that are made; left out: as the cluster has it
 * ```
 *
 * @throws StreamError `bad-setting`
 */
export function kafkaSettingsFromEnv(env: Env): KafkaSettings {
  const sasl = saslFrom(env);
  const tls = tlsFrom(env);
  const replicationFactor = replicationFactorFrom(env);
  return {
    ...(sasl !== undefined && { sasl }),
    ...(tls !== undefined && { tls }),
    ...(replicationFactor !== undefined && { replicationFactor }),
  };
}

function saslFrom(env: Env): KafkaSettings['sasl'] {
  const named = env.KAFKA_SASL_MECHANISM || undefined;
  const username = env.KAFKA_SASL_USERNAME || undefined;
  const password = env.KAFKA_SASL_PASSWORD || undefined;
  if (named === undefined) {
    if (username === undefined && password === undefined) return undefined;
    throw badSetting(
      'KAFKA_SASL_MECHANISM is missing beside a name or password',
      `Set it to ${MECHANISMS.join(', ')}.`,
    );
  }
  const mechanism = MECHANISMS.find((known) => known === named.toLowerCase());
  if (mechanism === undefined) {
    throw badSetting(`KAFKA_SASL_MECHANISM=${named} is not known here`, `Set one of ${MECHANISMS.join(', ')}.`);
  }
  if (username === undefined || password === undefined) {
    throw badSetting(
      `KAFKA_SASL_MECHANISM=${named} has no ${username === undefined ? 'KAFKA_SASL_USERNAME' : 'KAFKA_SASL_PASSWORD'}`,
      'Set both KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.',
    );
  }
  return { mechanism, username, password };
}

function tlsFrom(env: Env): KafkaSettings['tls'] {
  const ca = pemFrom(env, 'KAFKA_TLS_CA_FILE');
  const cert = pemFrom(env, 'KAFKA_TLS_CERT_FILE');
  const key = pemFrom(env, 'KAFKA_TLS_KEY_FILE');
  const passphrase = env.KAFKA_TLS_KEY_PASSWORD || undefined;
  if ((cert === undefined) !== (key === undefined)) {
    throw badSetting(
      `${cert === undefined ? 'KAFKA_TLS_KEY_FILE' : 'KAFKA_TLS_CERT_FILE'} stands alone`,
      'Set both KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE, or none.',
    );
  }
  const wanted = env.KAFKA_TLS || undefined;
  if (wanted !== undefined && wanted !== 'true' && wanted !== 'false') {
    throw badSetting(`KAFKA_TLS=${wanted} is neither true nor false`, 'Set KAFKA_TLS=true, or leave it out.');
  }
  if (ca === undefined && cert === undefined) return wanted === 'true' ? {} : undefined;
  if (wanted === 'false') throw badSetting('KAFKA_TLS=false contradicts a certificate', 'Leave one of them out.');
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function pemFrom(env: Env, name: string): string | undefined {
  const path = env[name] || undefined;
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StreamError('bad-setting', `${name}=${path} cannot be read: ${reason}`, {
      mend: `Set ${name} to a PEM file that this process may read.`,
      cause,
    });
  }
}

function replicationFactorFrom(env: Env): number | undefined {
  const text = env.KAFKA_REPLICATION_FACTOR || undefined;
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text)) {
    throw badSetting(`KAFKA_REPLICATION_FACTOR=${text} is no count of copies`, 'Set a whole number from 1, or none.');
  }
  return Number(text);
}

function badSetting(message: string, mend: string): StreamError {
  return new StreamError('bad-setting', message, { mend });
}
