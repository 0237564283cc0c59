import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, partitionOfKey, type RecordView, type StreamClient } from '../../src/index.ts';
import type { Served, SetUp } from './set-ups.ts';

/** What every engine promises, whatever stands behind it. */
export function describeRules({ title, serve, topicCount }: SetUp): void {
  describe(title, () => {
    let served: Served;
    let client: StreamClient;
    let topicNumber = 0;

    beforeAll(async () => {
      served = await serve();
    }, 60_000);
    afterAll(() => served?.stop());
    beforeEach(async () => {
      client = await connect(served.config);
    });
    afterEach(() => client?.close());

    async function newTopic(partitionCount = 1, settings: Record<string, string> = {}): Promise<string> {
      const name = `conformance.topic-${++topicNumber}`;
      await client.admin.ensureTopics([{ name, partitionCount, settings }]);
      return name;
    }

    /** Keys `k0`, `k1`, …, values 0, 1, 2, … */
    async function produceNumbers(topic: string, count: number, keyCount = 1): Promise<void> {
      const producer = client.producer({ lingerMs: 1, batchBytes: 4000, maxBufferedBytes: 40_000 });
      for (let i = 0; i < count; i++) {
        const wait = producer.send({ topic, key: `k${i % keyCount}`, value: Buffer.from(`${i}`), timestampMs: i });
        if (wait !== undefined) await wait;
      }
      await producer.close();
    }

    async function take(
      topic: string,
      count: number,
      from: { partition: number; offset?: bigint }[],
      maxBytes = 10_000,
    ) {
      const taken: RecordView[] = [];
      const consumer = client.consumer({ assignments: from.map((start) => ({ topic, ...start })), maxBytes });
      for await (const chunk of consumer) {
        taken.push(...chunk.records());
        if (taken.length >= count) break;
      }
      return taken;
    }

    const partitions = (count: number) => Array.from({ length: count }, (_, partition) => ({ partition }));
    const numberOf = ({ value }: RecordView) => Number(String(value));

    describe('records', () => {
      test('come back complete, in order per key, each key in one partition', async () => {
        const topic = await newTopic(4);
        await produceNumbers(topic, 5000, 17);
        const taken = await take(topic, 5000, partitions(4));
        expect(taken.map(numberOf).sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
        const lastOf = new Map<string, number>();
        for (const record of taken) {
          const place = `${record.key}/${record.partition}`;
          expect(numberOf(record)).toBeGreaterThan(lastOf.get(place) ?? -1);
          lastOf.set(place, numberOf(record));
        }
        expect(lastOf.size).toBe(17);
      });

      test('lie in the partition that every Kafka client chooses for their key', async () => {
        const topic = await newTopic(7);
        await produceNumbers(topic, 100, 100);
        for (const { key, partition } of await take(topic, 100, partitions(7))) {
          expect(partition).toBe(partitionOfKey(Buffer.from(key!), 7));
        }
      });

      test('lie in the partition that is named', async () => {
        const topic = await newTopic(3);
        const producer = client.producer();
        producer.send({ topic, partition: 2, key: 'k', value: null, timestampMs: 1 });
        await producer.close();
        expect((await client.lastRecord(topic, 2))!.partition).toBe(2);
      });

      test('keep time, null key, null value and headers', async () => {
        const topic = await newTopic();
        const producer = client.producer({ lingerMs: 0 });
        const timestampMs = 1_380_000_000_123;
        producer.send({ topic, key: null, value: null, timestampMs, headers: { kind: 'trädé', empty: '' } });
        await producer.close();
        const last = await client.lastRecord(topic, 0);
        expect(last).toMatchObject({ key: null, value: null, timestampMs, offset: 0n });
        expect([last!.header('kind'), last!.header('empty'), last!.header('toString')]).toEqual([
          'trädé',
          '',
          undefined,
        ]);
        expect(last!.headers().map(({ key, value }) => [key, String(value)])).toEqual([
          ['kind', 'trädé'],
          ['empty', ''],
        ]);
      });

      test('keep times of years far apart, also within one batch', async () => {
        const topic = await newTopic();
        const times = [5, 1_380_000_000_000, 12, 0, 999_999_999_999, 4_102_444_800_000, 7];
        const producer = client.producer({ lingerMs: 20 });
        for (const timestampMs of times) producer.send({ topic, key: 'k', value: null, timestampMs });
        await producer.close();
        const taken = await take(topic, times.length, partitions(1));
        expect(taken.map(({ timestampMs }) => timestampMs)).toEqual(times);
      });

      test('of almost a megabyte come through whole', async () => {
        const topic = await newTopic();
        const value = Buffer.alloc(900_000, 'large');
        const producer = client.producer();
        for (let i = 0; i < 3; i++) producer.send({ topic, key: `${i}`, value, timestampMs: i });
        await producer.close();
        const taken = await take(topic, 3, partitions(1));
        expect(taken.map(({ key, value: got }) => [String(key), value.equals(got!)])).toEqual([
          ['0', true],
          ['1', true],
          ['2', true],
        ]);
      });

      test('larger than the topic allows are refused by name, and the mend is told', async () => {
        const topic = await newTopic(1, { 'max.message.bytes': '5000' });
        const producer = client.producer();
        producer.send({ topic, key: 'k', value: Buffer.alloc(6000), timestampMs: 1 });
        await expect(producer.flush()).rejects.toMatchObject({
          code: 'record-too-large',
          message: expect.stringContaining(`'${topic}'`),
          mend: expect.stringContaining('max.message.bytes'),
        });
      });

      test('wait in a bounded buffer: send asks its caller to wait while it is full', async () => {
        const topic = await newTopic();
        const producer = client.producer({ maxBufferedBytes: 10_000 });
        await producer.send({ topic, key: 'k', value: null, timestampMs: 1 });
        let wait: Promise<void> | undefined;
        let sent = 1;
        for (; wait === undefined; sent++) {
          wait = producer.send({ topic, key: 'k', value: Buffer.alloc(100), timestampMs: sent });
          expect(sent).toBeLessThan(200);
        }
        await wait;
        await producer.close();
        expect((await client.admin.watermarks(topic))[0]!.high).toBe(BigInt(sent));
      });
    });

    describe('a producer', () => {
      test('of a topic that does not exist fails with its name', async () => {
        const producer = client.producer();
        producer.send({ topic: 'conformance.nowhere', key: 'k', value: null, timestampMs: 1 });
        await expect(producer.flush()).rejects.toMatchObject({
          code: 'unknown-topic',
          message: expect.stringContaining("'conformance.nowhere'"),
        });
      });

      test('refuses a partition that the topic does not have, and a time that is no integer', async () => {
        const topic = await newTopic(2);
        for (const wrong of [{ partition: 2 }, { timestampMs: 0.5 }]) {
          const producer = client.producer();
          const sent = producer.send({ topic, key: 'k', value: null, timestampMs: 1, ...wrong });
          await expect(sent).rejects.toMatchObject({ code: 'bad-record' });
        }
      });

      test('that was closed takes nothing more', async () => {
        const topic = await newTopic();
        const producer = client.producer();
        await producer.close();
        const sent = producer.send({ topic, key: 'k', value: null, timestampMs: 1 });
        await expect(sent).rejects.toMatchObject({ code: 'closed' });
      });

      test('with acks 1 writes as well', async () => {
        const topic = await newTopic();
        const producer = client.producer({ acks: 1 });
        producer.send({ topic, key: 'k', value: Buffer.from('written'), timestampMs: 0 });
        await producer.close();
        expect(String((await take(topic, 1, partitions(1)))[0]!.value)).toBe('written');
      });
    });

    describe('a consumer', () => {
      test('starts at the offset that it is given, also in the middle of a batch', async () => {
        const topic = await newTopic();
        await produceNumbers(topic, 1000);
        for (const offset of [0n, 1n, 333n, 999n]) {
          const [first] = await take(topic, 1, [{ partition: 0, offset }]);
          expect([first!.offset, numberOf(first!)]).toEqual([offset, Number(offset)]);
        }
      });

      test('waits for records that come later', async () => {
        const topic = await newTopic();
        const taking = take(topic, 10, partitions(1));
        await produceNumbers(topic, 10);
        expect(await taking).toHaveLength(10);
      });

      test('that stalls holds up nobody, and misses nothing when it goes on', async () => {
        const topic = await newTopic(2);
        await produceNumbers(topic, 2000, 50);
        const assignments = partitions(2).map(({ partition }) => ({ topic, partition }));
        const taken: number[] = [];
        const consumer = client.consumer({ assignments, maxBytes: 8_000 });
        for await (const chunk of consumer) {
          if (taken.length === 0) {
            await produceNumbers(topic, 2000, 50);
            expect(await take(topic, 4000, partitions(2))).toHaveLength(4000);
          }
          for (const record of chunk.records()) taken.push(numberOf(record));
          if (taken.length === 4000) break;
        }
        const twice = Array.from({ length: 4000 }, (_, i) => Math.floor(i / 2));
        expect(taken.sort((a, b) => a - b)).toEqual(twice);
      });

      test('ends its loop when it is closed while it waits', async () => {
        const topic = await newTopic();
        const consumer = client.consumer({ assignments: [{ topic, partition: 0 }], maxWaitMs: 2_000 });
        const looped = (async () => {
          for await (const _ of consumer) throw new Error('there is nothing to read');
        })();
        await client.admin.watermarks(topic);
        await consumer.close();
        await expect(looped).resolves.toBeUndefined();
      });

      test('is told topic, offset and both ends where the log does not hold its offset', async () => {
        const topic = await newTopic();
        await produceNumbers(topic, 5);
        await expect(take(topic, 1, [{ partition: 0, offset: 6n }])).rejects.toMatchObject({
          code: 'offset-out-of-range',
          message: `'${topic}' partition 0 has no offset 6: it starts at 0 and ends before 5`,
        });
      });

      test('of a topic that does not exist fails with its name', async () => {
        await expect(take('conformance.nowhere', 1, partitions(1))).rejects.toMatchObject({
          code: 'unknown-topic',
          message: expect.stringContaining("'conformance.nowhere'"),
        });
      });
    });

    describe('an empty topic', () => {
      test('has no last record, and both ends of its partitions are 0', async () => {
        const topic = await newTopic(2);
        expect(await client.lastRecord(topic, 1)).toBeUndefined();
        expect(await client.admin.watermarks(topic)).toMatchObject([
          { partition: 0, logStart: 0n, high: 0n },
          { partition: 1, logStart: 0n, high: 0n },
        ]);
      });
    });

    describe('admin', () => {
      test('makes missing topics and leaves existing ones', async () => {
        const topic = await newTopic(3);
        const other = `${topic}-b`;
        await client.admin.ensureTopics([
          { name: topic, partitionCount: 3 },
          { name: other, partitionCount: 2 },
        ]);
        const topics = (await client.admin.topics()).filter(({ name }) => name === topic || name === other);
        expect(topics.sort((a, b) => a.partitionCount - b.partitionCount)).toEqual([
          { name: other, partitionCount: 2 },
          { name: topic, partitionCount: 3 },
        ]);
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
        const offsets = new Map([
          [0, 5n],
          [2, 7n],
        ]);
        await client.admin.commitOffsets('conformance.app', topic, offsets);
        expect(await client.admin.committedOffsets('conformance.app', topic)).toEqual(offsets);
        expect(await client.admin.committedOffsets('conformance.other', topic)).toEqual(new Map());
        expect(await client.admin.committedOffsets('conformance.app', 'conformance.not-yet')).toEqual(new Map());
        expect(await client.admin.groups()).toContain('conformance.app');
      });

      test('tells both ends of every partition', async () => {
        const topic = await newTopic();
        await produceNumbers(topic, 12);
        expect(await client.admin.watermarks(topic)).toMatchObject([{ partition: 0, logStart: 0n, high: 12n }]);
        expect(numberOf((await client.lastRecord(topic, 0))!)).toBe(11);
      });
    });

    describe('when the broker is killed', () => {
      test('and comes back, a producer goes on: nothing is lost, doubled or out of order', async () => {
        const topic = await newTopic(3);
        const producer = client.producer({ lingerMs: 1, batchBytes: 2000, maxBufferedBytes: 50_000 });
        const count = 6000;
        let dead: Promise<void> | undefined;
        for (let i = 0; i < count; i++) {
          // Of today: Apache Kafka forgets, on a restart, the producers whose last record is more than a day old.
          const timestampMs = Date.now();
          const wait = producer.send({ topic, key: `k${i % 10}`, value: Buffer.from(`${i}`), timestampMs });
          if (i === count / 3) dead = served.kill().then(() => served.restart());
          if (wait !== undefined) await wait;
        }
        await dead;
        await producer.close();
        const taken = await take(topic, count, partitions(3), 1_000_000);
        const ofKeys = new Map<string, number[]>();
        for (const record of taken) {
          const key = String(record.key);
          ofKeys.set(key, [...(ofKeys.get(key) ?? []), numberOf(record)]);
        }
        const whole = Array.from({ length: 10 }, (_, k) => [
          `k${k}`,
          Array.from({ length: count / 10 }, (__, i) => 10 * i + k),
        ]);
        expect([...ofKeys].sort()).toEqual(whole);
      }, 60_000);

      test('a consumer goes on where it was, or says that running again is enough', async () => {
        const topic = await newTopic();
        await produceNumbers(topic, 100);
        const taken: number[] = [];
        let from = 0n;
        let interruptions = 0;
        let dead: Promise<void> | undefined;
        while (taken.length < 200) {
          try {
            for await (const chunk of client.consumer({ assignments: [{ topic, partition: 0, offset: from }] })) {
              for (const record of chunk.records()) taken.push(numberOf(record));
              from = chunk.nextOffset;
              if (taken.length >= 200) break;
              dead ??= (async () => {
                await served.kill();
                await served.restart();
                const again = await connect(served.config);
                const producer = again.producer();
                for (let i = 100; i < 200; i++) {
                  producer.send({ topic, key: 'k', value: Buffer.from(`${i}`), timestampMs: i });
                }
                await producer.close();
                await again.close();
              })();
            }
          } catch (error) {
            expect(error).toMatchObject({ retry: true });
            expect(++interruptions).toBeLessThan(100);
            await dead;
            await client.close();
            client = await connect(served.config);
          }
        }
        await dead;
        expect(taken).toEqual(Array.from({ length: 200 }, (_, i) => i));
      }, 60_000);
    });

    // Last of what needs this broker: Apache Kafka takes its time to recover so many.
    test(`${topicCount} topics are made at once, written by one producer and read by one consumer`, async () => {
      const names = Array.from({ length: topicCount }, (_, i) => `many.topic-${i}`);
      await client.admin.ensureTopics(names.map((name) => ({ name, partitionCount: 1 })));
      const producer = client.producer();
      for (const topic of names) producer.send({ topic, key: topic, value: Buffer.from(topic), timestampMs: 1 });
      await producer.close();
      const found = new Set<string>();
      const consumer = client.consumer({ assignments: names.map((topic) => ({ topic, partition: 0, offset: 0n })) });
      for await (const chunk of consumer) {
        for (const { topic, value } of chunk.records()) if (String(value) === topic) found.add(topic);
        if (found.size === topicCount) break;
      }
      expect(found.size).toBe(topicCount);
    }, 60_000);

    describe('when nobody answers', () => {
      test('connect says so within its time, with the address and the mend', async () => {
        const brokers = ['127.0.0.1:9'];
        await expect(connect({ ...served.config, brokers, connectTimeoutMs: 300 })).rejects.toMatchObject({
          code: 'unreachable',
          message: expect.stringContaining('127.0.0.1:9'),
          mend: expect.stringContaining('BROKERS='),
        });
      });

      test('connect gives up at once when it is told to', async () => {
        const stop = new AbortController();
        const connecting = connect(
          { ...served.config, brokers: ['127.0.0.1:9'], connectTimeoutMs: 3_600_000 },
          stop.signal,
        );
        stop.abort();
        await expect(connecting).rejects.toMatchObject({ code: 'unreachable' });
      });
    });
  });
}
