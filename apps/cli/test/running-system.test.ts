import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelVolume, topics, volumeTopics } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runModelInto } from '../../../libs/evaluation/test/model-volumes.ts';
import { enrichedTicks, produceTicks } from '../../../libs/evaluation/test/session.ts';
import { createSystem } from '../src/running-system.ts';
import type { System } from '../src/system.ts';

let dataDir: string;
let broker: EmbeddedBroker;
let client: StreamClient;
let system: System;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tickfold-system-'));
  broker = await startEmbeddedBroker({ dataDir });
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  const { signal } = new AbortController();
  system = createSystem({ dataDir, brokers: broker.address, stderr: process.stderr, signal });
  await produceTicks(client, enrichedTicks(), { to: 10_000 });
});

afterAll(async () => {
  await client.close();
  await broker.stop();
  rmSync(dataDir, { recursive: true });
});

test("somebody else's topic named runs hinders neither the list of volumes nor a comparison by position", async () => {
  const { runs } = volumeTopics('orders');
  await client.admin.ensureTopics([{ name: runs, partitionCount: 1 }]);
  const producer = client.producer();
  await producer.send({ topic: runs, key: null, value: Buffer.from('{"order":1}'), timestampMs: 0 });
  await producer.close();
  expect(await system.volumes()).toContainEqual(expect.objectContaining({ name: 'orders', run: null }));
  await client.volumes.createSnapshot('orders@noon', {});
  expect((await system.diff('orders', 'orders@noon')).diff).toMatchObject({ equal: true, a: { model: null } });
});

test('frozen outputs of live versions are shown the tick on which they part, from the live market', async () => {
  for (const version of ['reversion-1', 'reversion-2']) {
    const volume = modelVolume(version);
    await runModelInto(client, findModel(version).create({ warmUpMinutes: 0 }), volume);
    await client.volumes.createSnapshot(`${volume}@noon`, {});
  }
  const { diff } = await system.diff('model-reversion-1@noon', 'model-reversion-2@noon');
  expect(diff.firstAction!.tick).toMatchObject({ source: diff.firstAction!.source });
});

test('a version that has handled nothing yet is not compared, and the mend is said', async () => {
  const names = Object.values(volumeTopics('idle'));
  const partitionCount = (await client.admin.watermarks(topics.enriched)).length;
  await client.admin.ensureTopics(names.map((name) => ({ name, partitionCount })));
  await expect(system.diff('model-reversion-1', 'idle')).rejects.toMatchObject({
    message: 'No tick has been handled yet by idle: there is nothing to compare.',
    mend: expect.stringMatching(/^Wait until it has, or replay/),
  });
});
