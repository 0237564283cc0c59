import { type LogEngine, type LogReader, openLogEngine, openSnapshot, type Snapshot } from '@tickfold/log-engine';
import { type Consumer, type RecordChunk, type StreamClient, StreamError } from '@tickfold/stream';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inProcessClient } from '../src/index.ts';
import { contentOf } from './counter.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

const TOPIC = 'market.ticks';

let dataDir: string;
let engine: LogEngine;
let client: StreamClient;

beforeEach(async () => {
  dataDir = await temporaryFolder();
  engine = await openLogEngine({ dataDir });
  client = inProcessClient(engine, engine);
  await client.admin.ensureTopics([{ name: TOPIC, partitionCount: 2 }]);
});
afterEach(() => engine.close());
afterAll(removeFolders);

async function produce(partition: number, values: string[], topic = TOPIC): Promise<void> {
  const producer = client.producer();
  for (const value of values) {
    await producer.send({ topic, partition, key: null, value: Buffer.from(value), timestampMs: 1 });
  }
  await producer.close();
}

const valuesOf = (chunk: RecordChunk) => Array.from(chunk.records(), ({ value }) => String(value));
const both = () => client.consumer({ assignments: [0, 1].map((partition) => ({ topic: TOPIC, partition })) });

/** The next chunk; that there is one is part of the test. */
async function nextOf(chunks: AsyncIterator<RecordChunk>): Promise<RecordChunk> {
  const { done, value } = await chunks.next();
  if (done === true) throw new Error('the loop ended');
  return value;
}

async function frozen(work: (snapshot: Snapshot, reading: StreamClient) => Promise<void>): Promise<void> {
  await client.volumes.createSnapshot('market@open', {});
  const snapshot = await openSnapshot(dataDir, 'market@open');
  const reading = inProcessClient(snapshot);
  try {
    await work(snapshot, reading);
  } finally {
    await reading.close();
    await snapshot.close();
  }
}

describe('a consumer', () => {
  test('waits at the end of a live log for what comes next, in any of its partitions', async () => {
    const consumer = both();
    const chunks = consumer[Symbol.asyncIterator]();
    const first = nextOf(chunks);
    await produce(1, ['a', 'b']);
    expect(await first).toMatchObject({ topic: TOPIC, partition: 1, nextOffset: 2n, highWatermark: 2n });
    const second = nextOf(chunks);
    await produce(0, ['c']);
    expect(valuesOf(await second)).toEqual(['c']);
    const third = nextOf(chunks);
    await produce(1, ['d']);
    expect(valuesOf(await third)).toEqual(['d']);
    await consumer.close();
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });

  test('that is closed while it waits ends its loop, on a live log and on a snapshot', async () => {
    await produce(0, ['a']);
    await frozen(async (_, reading) => {
      for (const each of [client, reading]) {
        const consumer = each.consumer({ assignments: [{ topic: TOPIC, partition: 0 }] });
        const chunks = consumer[Symbol.asyncIterator]();
        expect(valuesOf(await nextOf(chunks))).toEqual(['a']);
        const waiting = chunks.next();
        await consumer.close();
        expect(await waiting).toEqual({ done: true, value: undefined });
      }
    });
  });

  test('that is closed between two chunks does not give the one that it has read ahead', async () => {
    await produce(0, ['a']);
    await produce(1, ['b']);
    const consumer = both();
    const chunks = consumer[Symbol.asyncIterator]();
    expect(valuesOf(await nextOf(chunks))).toEqual(['a']);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    await consumer.close();
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });

  test('reads in chunks of maxBytes, its partitions in turn, and no further ahead than one chunk', async () => {
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 5; i++) await produce(0, [large]);
    for (let i = 0; i < 5; i++) await produce(1, [large]);
    let reads = 0;
    const counting: LogReader = {
      topics: () => engine.topics(),
      topic: (name) => engine.topic(name),
      committedOffsets: () => [],
      groupsWithOffsets: () => [],
      partition(topic, partition) {
        const log = engine.partition(topic, partition)!;
        const { logStartOffset, highWatermark, lastStableOffset } = log;
        const read = (offset: bigint, maxBytes: number) => {
          reads++;
          return log.read(offset, maxBytes);
        };
        const offsetForTimestamp = async () => undefined;
        const offsetOfLatest = offsetForTimestamp;
        return {
          topic,
          partition,
          logStartOffset,
          highWatermark,
          lastStableOffset,
          read,
          offsetForTimestamp,
          offsetOfLatest,
        };
      },
    };
    const assignments = [0, 1].map((partition) => ({ topic: TOPIC, partition }));
    const seen: number[] = [];
    for await (const chunk of inProcessClient(counting).consumer({ assignments, maxBytes: 1 })) {
      seen.push(chunk.partition);
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      expect(reads).toBe(Math.min(seen.length + 1, 10));
      if (seen.length === 10) break;
    }
    expect(seen).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  });

  test('begins in the middle of a batch where it is told to', async () => {
    await produce(0, ['a', 'b', 'c']);
    const assignments = [{ topic: TOPIC, partition: 0, offset: 1n }];
    for await (const chunk of client.consumer({ assignments })) {
      expect(valuesOf(chunk)).toEqual(['b', 'c']);
      break;
    }
  });

  test.each([
    ['an offset past the end', { topic: TOPIC, partition: 0, offset: 9n }, 'offset-out-of-range'],
    ['a partition that does not exist', { topic: TOPIC, partition: 2 }, 'unknown-topic'],
    ['a topic that does not exist', { topic: 'market.nothing', partition: 0 }, 'unknown-topic'],
  ])('of %s fails', async (_what, assignment, code) => {
    await produce(0, ['a']);
    await expect(nextOf(loopOver(client.consumer({ assignments: [assignment] })))).rejects.toMatchObject({ code });
  });

  test('whose topic is deleted, or whose client is closed, while it waits is told', async () => {
    const waiting = expect(nextOf(loopOver(both()))).rejects.toMatchObject({ code: 'unknown-topic' });
    await engine.deleteTopic(TOPIC);
    await waiting;

    await client.admin.ensureTopics([{ name: TOPIC, partitionCount: 2 }]);
    const again = expect(nextOf(loopOver(both()))).rejects.toMatchObject({ code: 'closed' });
    await client.close();
    await again;
  });
});

const loopOver = (consumer: Consumer) => consumer[Symbol.asyncIterator]();

test('a client that is closed reads no more, so that what it reads from may be closed', async () => {
  await produce(0, ['a']);
  await produce(0, ['b']);
  let begun = () => {};
  const isReading = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const order: string[] = [];
  const slow: LogReader = {
    topics: () => engine.topics(),
    topic: (name) => engine.topic(name),
    committedOffsets: () => [],
    groupsWithOffsets: () => [],
    partition(topic, partition) {
      const log = engine.partition(topic, partition)!;
      const { logStartOffset, highWatermark, lastStableOffset } = log;
      const read = async (offset: bigint, maxBytes: number) => {
        begun();
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        order.push('read');
        return log.read(offset, maxBytes);
      };
      const offsetForTimestamp = async () => undefined;
      const offsetOfLatest = offsetForTimestamp;
      return {
        topic,
        partition,
        logStartOffset,
        highWatermark,
        lastStableOffset,
        read,
        offsetForTimestamp,
        offsetOfLatest,
      };
    },
  };
  const reading = inProcessClient(slow);
  const waiting = expect(
    nextOf(loopOver(reading.consumer({ assignments: [{ topic: TOPIC, partition: 0 }] }))),
  ).rejects.toMatchObject({ code: 'closed' });
  await isReading;
  await reading.close();
  order.push('closed');
  await waiting;
  expect(order).toEqual(['read', 'closed']);
});

describe('a producer', () => {
  test('sends equal keys to one partition, the one that every client would choose', async () => {
    const producer = client.producer();
    for (let i = 0; i < 20; i++) {
      await producer.send({ topic: TOPIC, key: `k${i % 4}`, value: Buffer.from(`${i}`), timestampMs: i });
    }
    await producer.flush();
    // murmur2: k1 and k3 lie in partition 0 of 2, k0 and k2 in the other.
    const inFirst = (await contentOf(client, TOPIC, 0)).length;
    const inSecond = (await contentOf(client, TOPIC, 1)).length;
    expect(inFirst + inSecond).toBe(20);
    expect(inFirst % 5).toBe(0);
    await producer.close();
    await expect(producer.send({ topic: TOPIC, key: null, value: null, timestampMs: 0 })).rejects.toThrow('closed');
  });

  test('asks its caller to wait while too much is not acknowledged', async () => {
    const producer = client.producer({ batchBytes: 1000, maxBufferedBytes: 5000 });
    const record = { topic: TOPIC, partition: 0, key: null, value: Buffer.alloc(900), timestampMs: 0 };
    await producer.send(record);
    const waits = Array.from({ length: 10 }, () => producer.send(record));
    expect(waits[0]).toBeUndefined();
    expect(waits.at(-1)).toBeInstanceOf(Promise);
    await waits.at(-1);
    await producer.close();
    expect((await client.admin.watermarks(TOPIC))[0]!.high).toBe(11n);
  });

  test.each([
    ['a topic that does not exist', { topic: 'market.nothing' }, 'unknown-topic'],
    ['a partition that does not exist', { partition: 5 }, 'bad-record'],
  ])('for %s fails', async (_what, place, code) => {
    const producer = client.producer();
    const record = { topic: TOPIC, key: null, value: null, timestampMs: 0, ...place };
    await expect(
      (async () => {
        await producer.send(record);
        await producer.flush();
      })(),
    ).rejects.toMatchObject({ code });
  });

  test("whose records the engine refuses fails in the engine's words", async () => {
    await engine.createTopic('market.small', { partitionCount: 1, settings: { 'max.message.bytes': '100' } });
    await expect(produce(0, ['x'.repeat(1000)], 'market.small')).rejects.toMatchObject({
      name: 'StreamError',
      code: 'rejected',
      reason: 'batch-too-large',
      mend: expect.stringContaining('max.message.bytes'),
    });
  });
});

describe('topics and offsets', () => {
  test('what is missing is made; another partition count is an error', async () => {
    await client.admin.ensureTopics([{ name: TOPIC, partitionCount: 2 }]);
    const wrong = [{ name: TOPIC, partitionCount: 3 }];
    await expect(client.admin.ensureTopics(wrong)).rejects.toMatchObject({ code: 'partition-mismatch' });
    const illegal = [{ name: 'Market/x', partitionCount: 1 }];
    await expect(client.admin.ensureTopics(illegal)).rejects.toMatchObject({ reason: 'illegal-name' });
    expect(await client.admin.topics()).toEqual([{ name: TOPIC, partitionCount: 2 }]);
  });

  test('committed offsets come back; a partition without one is absent', async () => {
    await client.admin.commitOffsets('market.app', TOPIC, new Map([[1, 7n]]));
    expect(await client.admin.committedOffsets('market.app', TOPIC)).toEqual(new Map([[1, 7n]]));
    expect(await client.admin.committedOffsets('market.other', TOPIC)).toEqual(new Map());
    expect(await client.admin.groups()).toEqual(['market.app']);
  });

  test('the last record of a partition is found, none of an empty one', async () => {
    await produce(0, ['a', 'b']);
    const last = await client.lastRecord(TOPIC, 0);
    expect([last?.offset, String(last?.value)]).toEqual([1n, 'b']);
    expect(await client.lastRecord(TOPIC, 1)).toBeUndefined();
  });
});

describe('over a snapshot', () => {
  test('what was there then is read, with its offsets and last records; what came later is not', async () => {
    await produce(0, ['a', 'b']);
    await client.admin.commitOffsets('market.app', TOPIC, new Map([[0, 1n]]));
    const then = await contentOf(client, TOPIC, 0);
    await frozen(async (_, reading) => {
      await produce(0, ['later']);
      await client.admin.commitOffsets('market.app', TOPIC, new Map([[0, 3n]]));
      expect(await contentOf(reading, TOPIC, 0)).toEqual(then);
      expect(await reading.admin.committedOffsets('market.app', TOPIC)).toEqual(new Map([[0, 1n]]));
      expect(await reading.admin.groups()).toEqual(['market.app']);
      expect(String((await reading.lastRecord(TOPIC, 0))?.value)).toBe('b');
    });
  });

  test('alone, whatever writes is refused', async () => {
    await frozen(async (_, reading) => {
      const record = { topic: TOPIC, partition: 0, key: null, value: null, timestampMs: 0 };
      const writes = [
        () => reading.admin.ensureTopics([{ name: 'market.new', partitionCount: 1 }]),
        () => reading.admin.commitOffsets('market.app', TOPIC, new Map([[0, 0n]])),
        async () => reading.producer().send(record),
        () => reading.volumes.list(),
        () => reading.volumes.createSnapshot('market@again', {}),
        () => reading.volumes.adopt('x'),
        () => reading.volumes.delete('market'),
      ];
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: 'read-only' });
      await reading.admin.ensureTopics([{ name: TOPIC, partitionCount: 2 }]);
    });
  });

  test('with an engine beside it, topics of both are read, and only those of the engine are written', async () => {
    await produce(0, ['a']);
    await frozen(async (snapshot) => {
      const beside = inProcessClient(snapshot, engine);
      await beside.admin.ensureTopics([{ name: 'other.topic', partitionCount: 1 }]);
      const names = (await beside.admin.topics()).map(({ name }) => name);
      expect(names).toEqual([TOPIC, 'other.topic']);
      const send = async (topic: string) => {
        const producer = beside.producer();
        await producer.send({ topic, partition: 0, key: null, value: null, timestampMs: 0 });
        await producer.close();
      };
      await send('other.topic');
      expect(await contentOf(beside, 'other.topic', 0)).toHaveLength(1);
      await expect(send(TOPIC)).rejects.toMatchObject({ code: 'read-only' });
      expect(await contentOf(client, TOPIC, 0)).toHaveLength(1);
    });
  });
});

describe('volumes', () => {
  test('are described, and refusals come in the words of the engine', async () => {
    expect(await client.volumes.list()).toEqual([
      { name: 'market', sizeBytes: expect.any(Number), topics: 1, stopped: null },
    ]);
    const refused = await client.volumes.delete('nothing').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StreamError);
    expect(refused).toMatchObject({ code: 'volume-refused', reason: 'unknown-volume' });
    await client.volumes.delete('market');
    expect(await client.volumes.list()).toEqual([]);
  });
});
