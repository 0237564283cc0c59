/** What this broker needs and bears, beside how fast it is. */
import { setTimeout as delay } from 'node:timers/promises';
import { apis, iterateBatches, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { openLogEngine } from '@tickfold/log-engine';
import { type Contender, newFolder, proportionalSetSize, startTickfold } from '@tickfold/testkit/bench-brokers';
import { drive } from '@tickfold/testkit/bench-clients';
import { type Figure, median, percentile } from '@tickfold/testkit/figures';
import { RawClient } from '../test/raw-client.ts';
import type { Setting } from './setting.ts';

const IDLE_CONNECTIONS = 200;
const BUSY_CONNECTIONS = 20;
const BUSY_MS = 5_000;
const TOPICS_PER_REQUEST = 500;

function portOf({ bootstrap }: Contender): number {
  return Number(bootstrap.split(':')[1]);
}

function batchOf(recordCount: number, recordBytes = 100): Buffer {
  const builder = new RecordBatchBuilder(recordCount * (recordBytes + 20) + 100);
  const value = Buffer.alloc(recordBytes, 'v');
  for (let i = 0; i < recordCount; i++) builder.append(null, value, 1_700_000_000_000);
  return builder.finish();
}

function produceRequest(topic: string, records: Buffer) {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topics: [{ name: topic, partitions: [{ index: 0, records: [records] }] }],
  };
}

const NEW_TOPIC = { partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] };

async function makeTopics(client: RawClient, names: string[]): Promise<void> {
  for (let i = 0; i < names.length; i += TOPICS_PER_REQUEST) {
    const topics = names.slice(i, i + TOPICS_PER_REQUEST).map((name) => ({ name, ...NEW_TOPIC }));
    await client.call(apis.createTopics, 3, { topics, timeoutMs: 60_000, validateOnly: false });
  }
}

/** From the start of the process to the first acknowledged record. */
export async function measureStart({ rounds, bigVolumeBytes }: Setting): Promise<Figure[]> {
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) empty.push(await startMs(newFolder(), 'first'));
  const full: number[] = [];
  const name = `${(bigVolumeBytes / 1e9).toFixed(1)} GB`;
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    const dataDir = newFolder();
    await fill(dataDir, bigVolumeBytes);
    full.push(await startMs(dataDir, 'big.t'));
  }
  return [
    { name: 'start to first acknowledged record, empty', value: Math.round(median(empty)), unit: 'ms', atMost: 300 },
    { name: `the same with ${name}`, value: Math.round(median(full)), unit: 'ms', atMost: 1_000 },
  ];
}

async function startMs(dataDir: string, topic: string): Promise<number> {
  const begin = performance.now();
  const broker = await startTickfold('durable', dataDir);
  const client = await RawClient.connect(portOf(broker));
  // Makes the topic, where it is not there.
  await client.call(apis.metadata, 4, { topics: [{ name: topic }], ...METADATA });
  const answer = await client.call(apis.produce, 7, produceRequest(topic, batchOf(1)));
  const elapsedMs = performance.now() - begin;
  client.close();
  await broker.stop();
  if (answer.topics[0]?.partitions[0]?.errorCode !== 0) throw new Error('the first record was refused');
  return elapsedMs;
}

const METADATA = {
  allowAutoTopicCreation: true,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
};

async function fill(dataDir: string, bytes: number): Promise<void> {
  const engine = await openLogEngine({ dataDir, volumeQuotaBytes: 64e9 });
  await engine.createTopic('big.t', { partitionCount: 1 });
  const log = engine.partition('big.t', 0)!;
  const batch = batchOf(5_000);
  while (log.sizeBytes < bytes) await Promise.all(Array.from({ length: 8 }, () => log.append(batch, 'written')));
  await engine.close();
}

/** Memory of the broker while one client writes 100 MB a second and another one reads them. */
export async function measureMemory({ memorySeconds }: Setting): Promise<Figure[]> {
  const broker = await startTickfold('durable');
  const seen: number[] = [];
  const timer = setInterval(() => seen.push(proportionalSetSize(broker.pid)), 200);
  const bytesPerSecond = await drive(broker.bootstrap, 'memory', memorySeconds);
  clearInterval(timer);
  await broker.stop();
  return [
    { name: 'written and read meanwhile', value: Math.round(bytesPerSecond / 1e6), unit: 'MB/s' },
    {
      name: 'memory of the broker at that, at most',
      value: Math.round(Math.max(...seen) / 1e6),
      unit: 'MB',
      atMost: 200,
    },
  ];
}

/** Connections that do nothing, others that never rest, and what a request of an idle one meets. */
export async function measureConnections(): Promise<Figure[]> {
  const broker = await startTickfold('durable');
  const port = portOf(broker);
  const idle = await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => RawClient.connect(port)));
  const busy = await Promise.all(Array.from({ length: BUSY_CONNECTIONS }, () => RawClient.connect(port)));
  await makeTopics(
    busy[0]!,
    busy.map((_, i) => `busy-${i}`),
  );
  const end = performance.now() + BUSY_MS;
  const counts = busy.map(async (client, i) => {
    const batch = batchOf(500);
    let count = 0;
    while (performance.now() < end) {
      await client.call(apis.produce, 7, produceRequest(`busy-${i}`, batch));
      count++;
    }
    return count;
  });
  const waitsMs: number[] = [];
  for (let i = 0; performance.now() < end; i++) {
    const begin = performance.now();
    await idle[i % idle.length]!.call(apis.apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '' });
    waitsMs.push(performance.now() - begin);
    await delay(5);
  }
  const served = await Promise.all(counts);
  for (const client of [...idle, ...busy]) client.close();
  await broker.stop();
  const least = Math.min(...served) / median(served);
  return [
    {
      name: `${IDLE_CONNECTIONS} idle and ${BUSY_CONNECTIONS} busy connections: the least served of the busy, to their median`,
      value: Number(least.toFixed(2)),
      unit: '×',
      atLeast: 0.5,
    },
    { name: 'an idle one that asks meanwhile, p99', value: Number(percentile(waitsMs, 0.99).toFixed(2)), unit: 'ms' },
  ];
}

/** A broker with thousands of topics. */
export async function measureManyTopics({ topics, rounds }: Setting): Promise<Figure[]> {
  const broker = await startTickfold('durable');
  const client = await RawClient.connect(portOf(broker));
  const names = Array.from({ length: topics }, (_, i) => `many.topic-${i}`);
  await makeTopics(client, names);
  const metadataMs: number[] = [];
  for (let round = 0; round < Math.max(rounds, 5); round++) {
    const begin = performance.now();
    const { topics: described } = await client.call(apis.metadata, 4, { topics: null, ...METADATA });
    metadataMs.push(performance.now() - begin);
    if (described.length < topics) throw new Error(`the metadata names ${described.length} topics of ${topics}`);
  }
  const batch = batchOf(10);
  const partitions = [
    {
      index: 0,
      currentLeaderEpoch: -1,
      fetchOffset: 0n,
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes: 1 << 20,
    },
  ];
  const session = { replicaId: -1, maxWaitMs: 5_000, minBytes: 1, maxBytes: 1 << 26, isolationLevel: 0, rackId: '' };
  let begin = performance.now();
  const full = await client.call(apis.fetch, 11, {
    ...session,
    maxWaitMs: 0,
    sessionId: 0,
    sessionEpoch: 0,
    topics: names.map((name) => ({ name, partitions })),
    forgottenTopics: [],
  });
  const fullMs = performance.now() - begin;
  if (full.sessionId === 0) throw new Error('the broker keeps no fetch session');
  const writer = await RawClient.connect(portOf(broker));
  const newsMs: number[] = [];
  for (let i = 1; i <= 100; i++) {
    const fetching = client.call(apis.fetch, 11, {
      ...session,
      sessionId: full.sessionId,
      sessionEpoch: i,
      topics: [],
      forgottenTopics: [],
    });
    begin = performance.now();
    await writer.call(apis.produce, 7, produceRequest(names[(i * 97) % topics]!, batch));
    const answer = await fetching;
    newsMs.push(performance.now() - begin);
    const records = answer.topics.flatMap((topic) =>
      topic.partitions.flatMap((each) => each.records.map((bytes) => [...iterateBatches(bytes)].length)),
    );
    if (records.length === 0) throw new Error('a fetch over all topics came back empty');
  }
  client.close();
  writer.close();
  await broker.stop();
  const of = `${topics.toLocaleString('en')} topics`;
  return [
    { name: `metadata of all ${of}`, value: Number(median(metadataMs).toFixed(1)), unit: 'ms', atMost: 200 },
    { name: `first fetch over ${of}`, value: Number(fullMs.toFixed(1)), unit: 'ms' },
    {
      name: 'from a record sent to its being read in a session over all of them, p50',
      value: Number(median(newsMs).toFixed(2)),
      unit: 'ms',
    },
  ];
}
