import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

test('by default the broker is on the loopback only, at port 9092, with 2 GiB a volume', () => {
  expect(readSettings({})).toEqual({
    engine: {
      dataDir: 'data/volumes',
      volumeQuotaBytes: 2_147_483_648,
      reserveBytes: 67_108_864,
      visibility: 'synced',
    },
    listeners: [
      { name: 'BROKER_PORT', host: '127.0.0.1', port: 9092, advertisedHost: '127.0.0.1', advertisedPort: 9092 },
    ],
    defaultPartitionCount: 1,
    autoCreateTopics: true,
    limits: { connections: 1_000, frameBytes: 67_108_864, idleMs: 600_000 },
    groups: { offsetsRetentionMs: 604_800_000 },
  });
});

test('a broker on every address tells clients one that they can reach', () => {
  expect(readSettings({ HOST: '0.0.0.0' }).listeners[0]!.advertisedHost).toBe('127.0.0.1');
  const mapped = { HOST: '0.0.0.0', BROKER_ADVERTISED_HOST: 'localhost', BROKER_ADVERTISED_PORT: '19092' };
  expect(readSettings(mapped).listeners[0]).toMatchObject({ advertisedHost: 'localhost', advertisedPort: 19092 });
});

test('a port that the system chooses is advertised as it was chosen', () => {
  expect(readSettings({ BROKER_PORT: '0' }).listeners[0]).not.toHaveProperty('advertisedPort');
});

test('there is a Unix socket once it has a path', () => {
  expect(readSettings({ BROKER_SOCKET: '/run/broker.sock' }).socketPath).toBe('/run/broker.sock');
});

test('the second listener is there once it has a port, under the name that containers know', () => {
  const { listeners } = readSettings({ BROKER_INTERNAL_PORT: '9094' });
  expect(listeners[1]).toMatchObject({ host: '0.0.0.0', port: 9094, advertisedHost: 'broker' });
});

test.each([
  [{ BROKER_PORT: '70000' }, 'BROKER_PORT=70000'],
  [{ VOLUME_QUOTA_BYTES: '5' }, 'VOLUME_QUOTA_BYTES=5'],
  [{ DEFAULT_PARTITIONS: '0' }, 'DEFAULT_PARTITIONS=0'],
  [{ VOLUME_VISIBILITY: 'soon' }, 'VOLUME_VISIBILITY=soon'],
  [{ AUTO_CREATE_TOPICS: 'yes' }, 'AUTO_CREATE_TOPICS=yes'],
  [{ MAX_CONNECTIONS: '0' }, 'MAX_CONNECTIONS=0'],
  [{ MAX_REQUEST_BYTES: '100' }, 'MAX_REQUEST_BYTES=100'],
  [{ CONNECTION_IDLE_MS: '1' }, 'CONNECTION_IDLE_MS=1'],
  [{ OFFSETS_RETENTION_MINUTES: '0' }, 'OFFSETS_RETENTION_MINUTES=0'],
])('%o is refused by name', (env, message) => {
  expect(() => readSettings(env)).toThrow(UsageError);
  expect(() => readSettings(env)).toThrow(message);
});

test('limits are as the environment says', () => {
  const settings = readSettings({
    AUTO_CREATE_TOPICS: 'false',
    MAX_CONNECTIONS: '20',
    MAX_REQUEST_BYTES: '1000000',
    CONNECTION_IDLE_MS: '5000',
    OFFSETS_RETENTION_MINUTES: '2',
  });
  expect(settings).toMatchObject({
    autoCreateTopics: false,
    limits: { connections: 20, frameBytes: 1_000_000, idleMs: 5_000 },
    groups: { offsetsRetentionMs: 120_000 },
  });
});
