import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apis, configOperations, resourceTypes } from '@tickfold/kafka-protocol';
import { expect, test } from 'vitest';
import { KeptSettings } from '../src/configs/kept-settings.ts';
import { startTestBroker, type TestBroker } from './harness.ts';
import { RawClient } from './raw-client.ts';

const SESSION = 'consumer.session.timeout.ms';
const CONNECTIONS = 'max.connections';

async function set(client: RawClient, type: number, resource: string, name: string, value: string): Promise<void> {
  const configs = [{ name, operation: configOperations.set, value }];
  const request = { resources: [{ type, name: resource, configs }], validateOnly: false };
  const { resources } = await client.call(apis.incrementalAlterConfigs, 1, request);
  expect(resources).toMatchObject([{ errorCode: 0 }]);
}

async function shown(client: RawClient, type: number, resource: string, name: string): Promise<unknown> {
  const resources = [{ type, name: resource, keys: [name] }];
  const answer = await client.call(apis.describeConfigs, 2, {
    resources,
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return answer.resources[0]!.configs.find((config) => config.name === name)?.value;
}

test('what clients set on the broker and on a group, and the credentials of users, outlive a restart', async () => {
  const first = await startTestBroker();
  let client = await RawClient.connect(first.port);
  await set(client, resourceTypes.broker, '1', CONNECTIONS, '77');
  await set(client, resourceTypes.group, 'g', SESSION, '50000');
  const password = { salt: Buffer.alloc(8), saltedPassword: Buffer.alloc(8) };
  await client.call(apis.alterUserScramCredentials, 0, {
    deletions: [],
    upsertions: [{ name: 'ann', mechanism: 1, iterations: 5_000, ...password }],
  });
  client.close();

  const second: TestBroker = await first.restarted();
  try {
    client = await RawClient.connect(second.port);
    expect(await shown(client, resourceTypes.broker, '1', CONNECTIONS)).toBe('77');
    expect(await shown(client, resourceTypes.group, 'g', SESSION)).toBe('50000');
    const { results } = await client.call(apis.describeUserScramCredentials, 0, { users: null });
    expect(results).toMatchObject([{ user: 'ann', credentials: [{ mechanism: 1, iterations: 5_000 }] }]);
    client.close();
  } finally {
    await second.close();
  }
});

test('a damaged file of settings is named, with what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tickfold-settings-'));
  try {
    writeFileSync(join(folder, 'broker-settings.json'), '{"broker":');
    await expect(KeptSettings.open(folder)).rejects.toMatchObject({
      message: expect.stringContaining('broker-settings.json is no JSON'),
      mend: expect.stringContaining('remove it'),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
