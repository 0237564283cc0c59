import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listSnapshots, openSnapshot, stageVolume, verifySnapshot } from '@tickfold/log-engine';
import type { StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { connectVolumes, inProcessClient, readRange } from '../src/index.ts';
import { contentOf, contentOfOutputs, count, fillInput, GROUP, INPUT, PARTITIONS } from './counter.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

const RECORDS = 500;

/** It speaks Kafka's protocol; the client takes it for a cluster. */
let broker: EmbeddedBroker;
let client: StreamClient;
let dataDir: string;

beforeEach(async () => {
  broker = await startEmbeddedBroker();
  dataDir = await temporaryFolder();
  client = await connectVolumes({ engine: 'kafka', brokers: [broker.address], clientId: 'test' }, dataDir);
});
afterEach(async () => {
  await client.close();
  await broker.stop();
});
afterAll(removeFolders);

/** Transactions that were taken back, at the beginning, within and at the end; marks take offsets, too. */
async function fillWithGaps(): Promise<void> {
  await client.admin.ensureTopics([{ name: INPUT, partitionCount: PARTITIONS }]);
  const producer = await client.transactionalProducer({ transactionalId: 'market.test' });
  for (const outcome of ['abort', 'commit', 'abort', 'commit', 'abort'] as const) {
    for (let i = 0; i < 10; i++) {
      await producer.send({ topic: INPUT, partition: 0, key: `k${i}`, value: Buffer.from(outcome), timestampMs: i });
    }
    if (outcome === 'commit')
      await producer.commit([{ group: 'market.reader', topic: INPUT, offsets: new Map([[0, 3n]]) }]);
    else await producer.abort();
  }
  await producer.send({ topic: INPUT, partition: 1, key: null, value: null, timestampMs: 7 });
  await producer.abort();
  await producer.close();
}

async function offsetsOf(reader: StreamClient, topic: string, partition: number): Promise<bigint[]> {
  const offsets: bigint[] = [];
  for await (const chunk of readRange(reader, { topic, partition })) {
    for (const { offset } of chunk.records()) offsets.push(offset);
  }
  return offsets;
}

test('a snapshot of a cluster holds the same records at the same offsets, the groups and the files, and is whole', async () => {
  await fillWithGaps();
  await mkdir(join(dataDir, 'market/tables'), { recursive: true });
  await writeFile(join(dataDir, 'market/tables/history.duckdb'), 'years');
  const taken = await client.volumes.createSnapshot('market@open', { by: 'test' });
  expect(taken).toMatchObject({ name: 'market@open', volume: 'market', pins: { by: 'test' } });
  expect(await verifySnapshot(dataDir, 'market@open')).toMatchObject({ damages: [], unhashedFiles: 0, files: 1 });

  const snapshot = await openSnapshot(dataDir, 'market@open');
  const frozen = inProcessClient(snapshot);
  expect(await contentOf(frozen, INPUT, 0)).toEqual(await contentOf(client, INPUT, 0));
  const offsets = await offsetsOf(client, INPUT, 0);
  expect(offsets).toHaveLength(20);
  expect(offsets[0]).toBe(11n);
  expect(await offsetsOf(frozen, INPUT, 0)).toEqual(offsets);
  const highs = async (reader: StreamClient) => (await reader.admin.watermarks(INPUT)).map(({ high }) => high);
  expect(await highs(frozen)).toEqual(await highs(client));
  expect(await frozen.admin.committedOffsets('market.reader', INPUT)).toEqual(new Map([[0, 3n]]));
  expect(snapshot.filePath('tables/history.duckdb')).toMatch(/market@open/);
  await snapshot.close();
  expect(await readdir(join(dataDir, '.staging'))).toEqual([]);
});

test('a snapshot begins where the log of the cluster begins', async () => {
  await fillInput(client, 0, RECORDS);
  await broker.engine.partition(INPUT, 1)!.deleteRecordsBefore(123n);
  await client.volumes.createSnapshot('market@late', {});
  const snapshot = await openSnapshot(dataDir, 'market@late');
  const frozen = inProcessClient(snapshot);
  const starts = (await frozen.admin.watermarks(INPUT)).map(({ logStart }) => logStart);
  expect(starts).toEqual([0n, 123n, 0n]);
  expect((await offsetsOf(frozen, INPUT, 1))[0]).toBe(123n);
  expect((await verifySnapshot(dataDir, 'market@late')).damages).toEqual([]);
  await snapshot.close();
});

test.each([
  ['a name that is taken', 'market@open', /there is a snapshot market@open already/],
  ['a volume that is not there', 'nothing@open', /there is no volume nothing/],
  ['an illegal name', 'market@a/b', /a\/b/],
])('%s is refused, and nothing is left of it', async (_what, name, message) => {
  await fillInput(client, 0, 3);
  await client.volumes.createSnapshot('market@open', {});
  await expect(client.volumes.createSnapshot(name, {})).rejects.toMatchObject({
    code: 'volume-refused',
    message: expect.stringMatching(message),
  });
  expect((await listSnapshots(dataDir)).map((each) => each.name)).toEqual(['market@open']);
  expect(await readdir(join(dataDir, '.staging'))).toEqual([]);
});

test('a volume that was made of a snapshot appears on the cluster, with its records and its cursor, and no second time', async () => {
  await fillInput(client, 0, RECORDS);
  await client.volumes.createSnapshot('market@open', {});
  const snapshot = await openSnapshot(dataDir, 'market@open');
  const adoptOne = async (): Promise<string[][]> => {
    const staged = await stageVolume(dataDir, 'counted');
    try {
      const replay = inProcessClient(snapshot, staged.engine);
      await count(replay);
      const outputs = await contentOfOutputs(replay);
      await staged.finish();
      await client.volumes.adopt(staged.id);
      return outputs;
    } finally {
      await staged.discard();
    }
  };
  const outputs = await adoptOne();
  expect(await contentOfOutputs(client)).toEqual(outputs);
  expect(outputs.flat().length).toBeGreaterThan(RECORDS);
  const ends = Array.from({ length: PARTITIONS }, (_, partition) => [partition, BigInt(RECORDS)] as const);
  expect(await client.admin.committedOffsets(GROUP, INPUT)).toEqual(new Map(ends));
  await expect(adoptOne()).rejects.toMatchObject({ code: 'volume-refused', reason: 'volume-exists' });
  expect(await contentOfOutputs(client)).toEqual(outputs);
  expect(await readdir(join(dataDir, '.staging'))).toEqual([]);
  await snapshot.close();
});
