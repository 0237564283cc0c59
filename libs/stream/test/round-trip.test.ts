import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type RecordView, type StreamClient } from '../src/index.ts';

let broker: EmbeddedBroker;
let client: StreamClient;
let topicNumber = 0;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());
beforeEach(async () => {
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(() => client.close());

async function newTopic(partitionCount: number): Promise<string> {
  const name = `volume.topic-${++topicNumber}`;
  await client.admin.ensureTopics([{ name, partitionCount }]);
  return name;
}

/** Keys `k0`, `k1`, …, values 0, 1, 2, … */
async function produceNumbers(topic: string, count: number, keyCount: number): Promise<void> {
  const producer = client.producer({ lingerMs: 1, batchBytes: 2000, maxBufferedBytes: 20_000 });
  for (let i = 0; i < count; i++) {
    const wait = producer.send({ topic, key: `k${i % keyCount}`, value: Buffer.from(`${i}`), timestampMs: i });
    if (wait !== undefined) await wait;
  }
  await producer.flush();
  await producer.close();
}

async function take(topic: string, count: number, from: { partition: number; offset?: bigint }[]) {
  const taken: { partition: number; offset: bigint; key: string; value: string }[] = [];
  const consumer = client.consumer({ assignments: from.map((start) => ({ topic, ...start })), maxBytes: 10_000 });
  for await (const chunk of consumer) {
    for (const { partition, offset, key, value } of chunk.records()) {
      taken.push({ partition, offset, key: String(key), value: String(value) });
    }
    if (taken.length >= count) break;
  }
  return taken;
}

const partitions = (count: number) => Array.from({ length: count }, (_, partition) => ({ partition }));

describe('what is produced', () => {
  test('comes back complete, in order per key, each key in one partition', async () => {
    const topic = await newTopic(4);
    await produceNumbers(topic, 5000, 17);
    const taken = await take(topic, 5000, partitions(4));
    expect(taken).toHaveLength(5000);
    const partitionOf = new Map<string, number>();
    const lastOf = new Map<string, number>();
    for (const { key, value, partition } of taken) {
      expect(partitionOf.get(key) ?? partition).toBe(partition);
      expect(Number(value)).toBeGreaterThan(lastOf.get(key) ?? -1);
      partitionOf.set(key, partition);
      lastOf.set(key, Number(value));
    }
    expect(new Set(partitionOf.values()).size).toBe(4);
  });

  test('keeps time, null key, null value and headers', async () => {
    const topic = await newTopic(1);
    const producer = client.producer({ lingerMs: 0 });
    await producer.send({ topic, key: null, value: null, timestampMs: 1_380_000_000_123, headers: { kind: 'trädé' } });
    await producer.flush();
    const last = await client.lastRecord(topic, 0);
    expect(last).toMatchObject({ key: null, value: null, timestampMs: 1_380_000_000_123, offset: 0n });
    expect(last!.header('kind')).toBe('trädé');
  });

  test('can be read from the middle of a batch', async () => {
    const topic = await newTopic(1);
    await produceNumbers(topic, 1000, 1);
    for (const offset of [0n, 1n, 333n, 998n, 999n]) {
      const [first] = await take(topic, 1, [{ partition: 0, offset }]);
      expect(first).toMatchObject({ offset, value: `${offset}` });
    }
  });

  test('with acks 1 is readable as well', async () => {
    const topic = await newTopic(1);
    const producer = client.producer({ acks: 1 });
    await producer.send({ topic, key: 'k', value: Buffer.from('written'), timestampMs: 0 });
    await producer.flush();
    expect((await take(topic, 1, [{ partition: 0 }]))[0]!.value).toBe('written');
  });
});

test('what kafkajs produces is read, plain and packed with gzip', async () => {
  const topic = await newTopic(1);
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const [i, compression] of [CompressionTypes.None, CompressionTypes.GZIP].entries()) {
    const messages = [1, 2].map((n) => ({ key: `k${i}`, value: `${i}.${n}`, headers: { kind: 'trade' } }));
    await producer.send({ topic, compression, messages });
  }
  await producer.disconnect();
  const taken = await take(topic, 4, [{ partition: 0 }]);
  expect(taken.map(({ key, value }) => `${key}=${value}`)).toEqual(['k0=0.1', 'k0=0.2', 'k1=1.1', 'k1=1.2']);
});

describe('a consumer', () => {
  test('waits for records that come later', async () => {
    const topic = await newTopic(1);
    const taking = take(topic, 10, [{ partition: 0 }]);
    await produceNumbers(topic, 10, 1);
    expect(await taking).toHaveLength(10);
  });

  test('ends its loop when it is closed while it waits', async () => {
    const topic = await newTopic(1);
    const consumer = client.consumer({ assignments: [{ topic, partition: 0 }], maxWaitMs: 20_000 });
    const looped = (async () => {
      for await (const _ of consumer) throw new Error('there is nothing to read');
    })();
    await client.admin.watermarks(topic);
    await consumer.close();
    await expect(looped).resolves.toBeUndefined();
  });

  test('is told topic, offset and log start where the log does not hold its offset', async () => {
    const topic = await newTopic(1);
    await produceNumbers(topic, 5, 1);
    await expect(take(topic, 1, [{ partition: 0, offset: 6n }])).rejects.toMatchObject({
      code: 'offset-out-of-range',
      message: `'${topic}' partition 0 has no offset 6: it starts at 0 and ends before 5`,
    });
  });

  test('of a topic that does not exist fails with its name', async () => {
    await expect(take('volume.nowhere', 1, [{ partition: 0 }])).rejects.toMatchObject({
      code: 'unknown-topic',
      message: expect.stringContaining("'volume.nowhere'"),
    });
  });

  test('is told when the connection is lost', async () => {
    const topic = await newTopic(1);
    const other = await startEmbeddedBroker();
    const otherClient = await connect({ brokers: [other.address], clientId: 'test' });
    await otherClient.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
    const consumer = otherClient.consumer({ assignments: [{ topic, partition: 0 }], maxWaitMs: 20_000 });
    const reading = consumer[Symbol.asyncIterator]().next();
    const lost = expect(reading).rejects.toMatchObject({ retry: true });
    await otherClient.admin.topics();
    await other.stop();
    await lost;
    await otherClient.close();
  });
});

describe('a record view', () => {
  test('stays readable after the loop went on, as it holds on to its own batch', async () => {
    const topic = await newTopic(1);
    await produceNumbers(topic, 2000, 1);
    const kept: RecordView[] = [];
    const consumer = client.consumer({ assignments: [{ topic, partition: 0 }], maxBytes: 4000 });
    for await (const chunk of consumer) {
      kept.push(...chunk.records());
      if (chunk.nextOffset === 2000n) break;
    }
    expect(kept.map((record) => Number(record.value))).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });
});

describe('lastRecord', () => {
  test('is undefined for an empty partition', async () => {
    expect(await client.lastRecord(await newTopic(1), 0)).toBeUndefined();
  });

  test('is the last of the last batch', async () => {
    const topic = await newTopic(1);
    await produceNumbers(topic, 777, 1);
    expect(String((await client.lastRecord(topic, 0))!.value)).toBe('776');
  });
});

describe('admin', () => {
  test('makes missing topics and leaves existing ones', async () => {
    const topic = await newTopic(3);
    await client.admin.ensureTopics([
      { name: topic, partitionCount: 3 },
      { name: `${topic}-b`, partitionCount: 2 },
    ]);
    const topics = await client.admin.topics();
    expect(topics).toContainEqual({ name: topic, partitionCount: 3 });
    expect(topics).toContainEqual({ name: `${topic}-b`, partitionCount: 2 });
  });

  test('refuses a topic that exists with another partition count, naming both', async () => {
    const topic = await newTopic(3);
    await expect(client.admin.ensureTopics([{ name: topic, partitionCount: 4 }])).rejects.toMatchObject({
      code: 'partition-mismatch',
      message: `topic '${topic}' has 3 partitions where 4 are asked for`,
    });
  });

  test('keeps committed offsets per group and lists the groups', async () => {
    const topic = await newTopic(3);
    await client.admin.commitOffsets(
      'volume.app',
      topic,
      new Map([
        [0, 5n],
        [2, 7n],
      ]),
    );
    expect(await client.admin.committedOffsets('volume.app', topic)).toEqual(
      new Map([
        [0, 5n],
        [2, 7n],
      ]),
    );
    expect(await client.admin.committedOffsets('volume.other', topic)).toEqual(new Map());
    expect(await client.admin.groups()).toContain('volume.app');
  });

  test('tells both ends of every partition', async () => {
    const topic = await newTopic(1);
    await produceNumbers(topic, 12, 1);
    expect(await client.admin.watermarks(topic)).toEqual([{ partition: 0, logStart: 0n, high: 12n }]);
  });
});

describe('connect', () => {
  test('says within its time that nobody answers, with the address and the mend', async () => {
    const stopped = await startEmbeddedBroker();
    await stopped.stop();
    await expect(
      connect({ brokers: [stopped.address], clientId: 'test', connectTimeoutMs: 120 }),
    ).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(stopped.address),
      mend: expect.stringContaining('BROKERS='),
    });
  });

  test('gives up at once when it is told to', async () => {
    const stopped = await startEmbeddedBroker();
    await stopped.stop();
    const stop = new AbortController();
    const connecting = connect(
      { brokers: [stopped.address], clientId: 'test', connectTimeoutMs: 3_600_000 },
      stop.signal,
    );
    stop.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('takes the next broker where the first does not answer', async () => {
    const stopped = await startEmbeddedBroker();
    await stopped.stop();
    const other = await connect({ brokers: [stopped.address, broker.address], clientId: 'test' });
    await other.close();
  });
});
