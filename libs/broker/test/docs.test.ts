import { readFileSync } from 'node:fs';
import { apis } from '@tickfold/kafka-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

const names = new Map<number, string>(Object.values(apis).map(({ key, name }) => [key, name]));

let running: TestBroker;

beforeEach(async () => {
  running = await startTestBroker();
});

afterEach(() => running.close());

test('docs/broker.md lists every request that is served, with its versions, in the order of their keys', async () => {
  const page = readFileSync(new URL('../../../docs/broker.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d+) \| (\w+) \| (\d+)(?: to (\d+))? \|/gm)];
  const documented = rows.map(([, key, name, min, max]) => [Number(key), name, Number(min), Number(max ?? min)]);

  const client = await RawClient.connect(running.port);
  const request = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
  const { apiKeys } = await client.call(apis.apiVersions, 4, request);
  client.close();
  const served = apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
    apiKey,
    names.get(apiKey),
    minVersion,
    maxVersion,
  ]);
  expect(documented).toEqual(served.toSorted(([a], [b]) => Number(a) - Number(b)));
});
