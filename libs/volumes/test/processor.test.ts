import { type LogEngine, openLogEngine, openSnapshot, stageVolume } from '@tickfold/log-engine';
import { connect } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { inProcessClient } from '../src/index.ts';
import { contentOf, contentOfOutputs, count, fillInput, GROUP, INPUT, PARTITIONS } from './counter.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

const RECORDS = 1500;

/** What a processor makes of the input when it runs on a broker. */
let expected: string[][];
let expectedInput: string[];
let dataDir: string;
let engine: LogEngine;

beforeAll(async () => {
  const broker: EmbeddedBroker = await startEmbeddedBroker();
  const client = await connect({ brokers: [broker.address], clientId: 'test' });
  await fillInput(client, 0, RECORDS);
  await count(client);
  expected = await contentOfOutputs(client);
  expectedInput = await contentOf(client, INPUT, 0);
  await client.close();
  await broker.stop();
});
beforeEach(async () => {
  dataDir = await temporaryFolder();
  engine = await openLogEngine({ dataDir });
});
afterEach(() => engine.close());
afterAll(removeFolders);

test('a processor writes the same, byte for byte, with and without a broker', async () => {
  const client = inProcessClient(engine, engine);
  await fillInput(client, 0, RECORDS);
  await count(client);
  expect(await contentOf(client, INPUT, 0)).toEqual(expectedInput);
  expect(await contentOfOutputs(client)).toEqual(expected);
  expect(expected[0]).toHaveLength(RECORDS - Math.floor(RECORDS / 97));
  const ends = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, BigInt(RECORDS)]));
  expect(await client.admin.committedOffsets(GROUP, INPUT)).toEqual(ends);
});

test.each([1, 700, 1999, 3800])('a processor that was stopped after %i records goes on where it was', async (after) => {
  const client = inProcessClient(engine, engine);
  await fillInput(client, 0, RECORDS);
  await count(client, after);
  expect(await contentOfOutputs(client)).not.toEqual(expected);
  await count(client);
  expect(await contentOfOutputs(client)).toEqual(expected);
});

test('a processor reads a snapshot and writes a staged volume, while the live one is written on', async () => {
  const live = inProcessClient(engine, engine);
  await fillInput(live, 0, RECORDS);
  await live.volumes.createSnapshot('market@open', {});
  await fillInput(live, RECORDS, RECORDS + 200);

  const snapshot = await openSnapshot(dataDir, 'market@open');
  const staged = await stageVolume(dataDir, 'counted');
  try {
    await count(inProcessClient(snapshot, staged.engine));
    await staged.finish();
    await live.volumes.adopt(staged.id);
  } finally {
    await staged.discard();
    await snapshot.close();
  }
  expect(await contentOfOutputs(live)).toEqual(expected);
});
