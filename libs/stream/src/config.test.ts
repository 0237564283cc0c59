import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseBrokerAddress, streamConfigFromEnv } from './config.ts';

test('without settings the broker of this machine is used', () => {
  expect(streamConfigFromEnv({}, 'me')).toEqual({ brokers: ['127.0.0.1:9092'], clientId: 'me' });
});

test('several brokers are separated by commas', () => {
  expect(streamConfigFromEnv({ BROKERS: 'a:1, b:2' }, 'me').brokers).toEqual(['a:1', 'b:2']);
});

test('an IPv6 address stands in brackets', () => {
  expect(parseBrokerAddress('[::1]:9092')).toEqual({ host: '::1', port: 9092 });
});

test('a Unix socket is named by its whole path', () => {
  expect(streamConfigFromEnv({ BROKERS: 'unix:/run/tickfold/broker.sock' }, 'me').brokers).toHaveLength(1);
  expect(parseBrokerAddress('unix:/run/tickfold/broker.sock')).toEqual({ path: '/run/tickfold/broker.sock' });
});

test.each([
  'unix:',
  'unix:broker.sock',
  'localhost',
  'localhost:',
  'localhost:0',
  'localhost:65536',
  'host:12x',
  ':9092',
  'a:1,',
])("BROKERS='%s' is refused by its value, with an example of a right one", (brokers) => {
  expect(() => streamConfigFromEnv({ BROKERS: brokers }, 'me')).toThrow(
    expect.objectContaining({ code: 'bad-setting', mend: expect.stringContaining('BROKERS=127.0.0.1:9092') }),
  );
});

describe('STREAM_ENGINE=kafka', () => {
  const kafka = { STREAM_ENGINE: 'kafka', KAFKA_BROKERS: 'a:1,b:2' };

  test('takes its brokers from KAFKA_BROKERS', () => {
    expect(streamConfigFromEnv({ ...kafka, BROKERS: 'c:3' }, 'me')).toEqual({
      engine: 'kafka',
      brokers: ['a:1', 'b:2'],
      clientId: 'me',
      kafka: {},
    });
  });

  test('without brokers is refused with an example', () => {
    expect(() => streamConfigFromEnv({ STREAM_ENGINE: 'kafka' }, 'me')).toThrow(
      expect.objectContaining({ code: 'bad-setting', mend: expect.stringContaining('KAFKA_BROKERS=127.0.0.1:9092') }),
    );
  });

  test('passes credentials, certificates and the count of copies on', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tickfold-tls-'));
    const pem = (name: string) => {
      writeFileSync(join(folder, name), `pem of ${name}`);
      return join(folder, name);
    };
    const env = {
      ...kafka,
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'me',
      KAFKA_SASL_PASSWORD: 'secret',
      KAFKA_TLS_CA_FILE: pem('ca'),
      KAFKA_TLS_CERT_FILE: pem('cert'),
      KAFKA_TLS_KEY_FILE: pem('key'),
      KAFKA_TLS_KEY_PASSWORD: 'open',
      KAFKA_REPLICATION_FACTOR: '3',
    };
    expect(streamConfigFromEnv(env, 'me').kafka).toEqual({
      sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'secret' },
      tls: { ca: 'pem of ca', cert: 'pem of cert', key: 'pem of key', passphrase: 'open' },
      replicationFactor: 3,
    });
    rmSync(folder, { recursive: true });
  });

  test('KAFKA_TLS=true is TLS with the known authorities', () => {
    expect(streamConfigFromEnv({ ...kafka, KAFKA_TLS: 'true' }, 'me').kafka).toEqual({ tls: {} });
    expect(streamConfigFromEnv({ ...kafka, KAFKA_TLS: 'false' }, 'me').kafka).toEqual({});
  });

  test.each([
    [{ KAFKA_BROKERS: 'a' }, "'a' is no broker address"],
    [{ KAFKA_BROKERS: 'unix:/a' }, "'unix:/a' is no broker address"],
    [{ KAFKA_SASL_MECHANISM: 'gssapi' }, 'KAFKA_SASL_MECHANISM=gssapi'],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me' }, 'KAFKA_SASL_PASSWORD'],
    [{ KAFKA_SASL_USERNAME: 'me' }, 'KAFKA_SASL_MECHANISM is missing'],
    [{ KAFKA_TLS: 'yes' }, 'KAFKA_TLS=yes'],
    [{ KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' }, 'KAFKA_TLS_CA_FILE=/nowhere/ca.pem'],
    [{ KAFKA_REPLICATION_FACTOR: '0' }, 'KAFKA_REPLICATION_FACTOR=0'],
  ])('%j is refused by its name', (wrong, words) => {
    expect(() => streamConfigFromEnv({ ...kafka, ...wrong }, 'me')).toThrow(
      expect.objectContaining({ code: 'bad-setting', message: expect.stringContaining(words) }),
    );
  });
});

test('an engine that nobody knows is refused by its name', () => {
  expect(() => streamConfigFromEnv({ STREAM_ENGINE: 'pulsar' }, 'me')).toThrow('STREAM_ENGINE=pulsar names no engine');
});
