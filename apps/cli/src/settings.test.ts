import { join } from 'node:path';
import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

test('by default it finds what npm start runs, from whatever folder it is called', () => {
  expect(readSettings({})).toEqual({ dataDir: join(REPOSITORY, 'data/volumes'), brokers: '127.0.0.1:9092' });
});

test.each([
  ['other', join(REPOSITORY, 'other')],
  ['/abs', '/abs'],
])('DATA_DIR=%s is %s, as npm start has it', (text, dataDir) => {
  expect(readSettings({ DATA_DIR: text }).dataDir).toBe(dataDir);
});

test.each([
  [{ BROKER_PORT: '9192' }, '127.0.0.1:9192'],
  [{ HOST: '0.0.0.0' }, '127.0.0.1:9092'],
  [{ HOST: '::1', BROKER_PORT: '1' }, '[::1]:1'],
  [{ HOST: 'a', BROKER_PORT: '1', BROKERS: 'b:2' }, 'b:2'],
])('%o leads to the broker at %s', (env, brokers) => {
  expect(readSettings(env).brokers).toBe(brokers);
});

test('a port that is none is refused by name', () => {
  expect(() => readSettings({ BROKER_PORT: 'http' })).toThrow(UsageError);
  expect(() => readSettings({ BROKER_PORT: 'http' })).toThrow('BROKER_PORT=http');
});

test('the quota of a volume is that of the broker, where one is set', () => {
  expect(readSettings({ VOLUME_QUOTA_BYTES: '2000000' }).volumeQuotaBytes).toBe(2_000_000);
  expect(() => readSettings({ VOLUME_QUOTA_BYTES: '5' })).toThrow('VOLUME_QUOTA_BYTES=5');
});
