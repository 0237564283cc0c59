import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type RecordView, runProcessor, type StreamClient } from '../../src/index.ts';
import type { Served, SetUp } from './set-ups.ts';

const soon = { timeout: 20_000, interval: 10 };

/** What every engine promises of where a consumer reads, and of what a processor cannot handle. */
export function describeReadingRules({ title, serve }: SetUp): void {
  describe(`reading: ${title}`, () => {
    let served: Served;
    let client: StreamClient;
    let number = 0;
    let topic: string;

    beforeAll(async () => {
      served = await serve();
    }, 60_000);
    afterAll(() => served?.stop());
    beforeEach(async () => {
      client = await connect(served.config);
      topic = `reading-${++number}.topic`;
      await client.admin.ensureTopics([{ name: topic, partitionCount: 2 }]);
    });
    afterEach(() => client?.close());

    /** Values count up in each partition; the time of each is a hundred of them. */
    async function produce(from: number, to: number): Promise<void> {
      const producer = client.producer({ batchBytes: 400 });
      for (let i = from; i < to; i++) {
        for (const partition of [0, 1]) {
          producer.send({ topic, partition, key: null, value: Buffer.from(`${i}`), timestampMs: 100 * i });
        }
      }
      await producer.close();
    }

    const places = () => [0, 1].map((partition) => ({ topic, partition }));
    const numberOf = ({ value }: RecordView) => Number(String(value));
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

    /** Reads both partitions into lists of their own until it is closed. */
    function reader() {
      const seen: number[][] = [[], []];
      const consumer = client.consumer({ assignments: places(), maxWaitMs: 50 });
      const done = (async () => {
        for await (const chunk of consumer) {
          for (const record of chunk.records()) seen[record.partition]!.push(numberOf(record));
        }
      })();
      return { seen, consumer, close: () => consumer.close().then(() => done) };
    }

    test('a paused partition gives nothing while the other goes on, and nothing is left out when it is resumed', async () => {
      await produce(0, 50);
      const { seen, consumer, close } = reader();
      await expect.poll(() => seen, soon).toEqual([numbers(0, 50), numbers(0, 50)]);
      consumer.pause([{ topic, partition: 0 }]);
      await produce(50, 100);
      await expect.poll(() => seen[1], soon).toEqual(numbers(0, 100));
      expect(seen[0]).toEqual(numbers(0, 50));
      consumer.resume([{ topic, partition: 0 }]);
      await expect.poll(() => seen[0], soon).toEqual(numbers(0, 100));
      await close();
    });

    test('a consumer that paused everything waits, and goes on where it was', async () => {
      await produce(0, 20);
      const { seen, consumer, close } = reader();
      consumer.pause(places());
      await produce(20, 40);
      expect(seen).toEqual([[], []]);
      consumer.resume(places());
      await expect.poll(() => seen, soon).toEqual([numbers(0, 40), numbers(0, 40)]);
      await close();
    });

    test('a partition that is paused amid an answer gives the rest of it later, once', async () => {
      await produce(0, 40);
      const seen: number[][] = [[], []];
      const consumer = client.consumer({ assignments: places(), maxWaitMs: 50 });
      let paused: number | undefined;
      for await (const chunk of consumer) {
        for (const record of chunk.records()) seen[record.partition]!.push(numberOf(record));
        if (paused === undefined) {
          paused = 1 - chunk.partition;
          consumer.pause([{ topic, partition: paused }]);
          expect(seen[paused]).toEqual([]);
        }
        if (seen.every((list) => list.length >= 40)) break;
        if (seen[1 - paused]!.length === 40) consumer.resume([{ topic, partition: paused }]);
      }
      expect(seen).toEqual([numbers(0, 40), numbers(0, 40)]);
    });

    test('a consumer goes on from where it is sent, back or ahead', async () => {
      await produce(0, 60);
      const { seen, consumer, close } = reader();
      await expect.poll(() => seen, soon).toEqual([numbers(0, 60), numbers(0, 60)]);
      consumer.seek({ topic, partition: 0, offset: 55n });
      await expect.poll(() => seen[0], soon).toEqual([...numbers(0, 60), ...numbers(55, 60)]);
      await produce(60, 62);
      await expect.poll(() => seen[1], soon).toEqual(numbers(0, 62));
      await close();
    });

    test('a consumer that is sent to a time begins with the first record of that time', async () => {
      await produce(0, 60);
      const offsets = await client.admin.offsetsAtTime(topic, 4_150);
      const { seen, consumer, close } = reader();
      for (const [partition, offset] of offsets) consumer.seek({ topic, partition, offset });
      await expect.poll(() => seen, soon).toEqual([numbers(42, 60), numbers(42, 60)]);
      await close();
    });

    test('to pause or move a partition that a consumer does not read is refused by its name', async () => {
      const consumer = client.consumer({ assignments: [{ topic, partition: 0 }] });
      const refusal = expect.objectContaining({ code: 'not-assigned', message: expect.stringContaining(topic) });
      expect(() => consumer.pause([{ topic, partition: 1 }])).toThrow(refusal);
      expect(() => consumer.seek({ topic, partition: 1, offset: 0n })).toThrow(refusal);
      await consumer.close();
    });

    test('what a processor cannot handle is a dead letter with source, reason and app, and the rest goes on', async () => {
      await produce(0, 30);
      const volume = topic.slice(0, topic.indexOf('.'));
      const [output, deadLetterTopic, group] = ['doubled', 'dead-letter', 'app'].map((name) => `${volume}.${name}`);
      const stop = new AbortController();
      const running = runProcessor({
        client,
        group: group!,
        inputTopic: topic,
        outputTopics: [output!],
        deadLetterTopic: deadLetterTopic!,
        createState: () => null,
        handle(_, record, emit) {
          if (numberOf(record) % 10 === 7) throw new Error(`${record.value} is bad`);
          emit({ topic: output!, key: null, value: Buffer.from(record.value!), timestampMs: record.timestampMs });
        },
        signal: stop.signal,
      });
      const cursors = async () => [...(await client.admin.committedOffsets(group!, topic)).values()];
      await expect.poll(cursors, soon).toEqual([30n, 30n]);
      stop.abort();
      await running;
      const letters: object[] = [];
      for await (const chunk of client.consumer({ assignments: [{ topic: deadLetterTopic!, partition: 1 }] })) {
        for (const record of chunk.records()) {
          const [source, reason, app] = ['source', 'reason', 'app'].map((name) => record.header(name));
          letters.push({ value: numberOf(record), source, reason, app });
        }
        if (letters.length === 3) break;
      }
      expect(letters).toEqual(
        [7, 17, 27].map((value) => ({ value, source: `${topic}/1:${value}`, reason: `${value} is bad`, app: group })),
      );
    });

    test('a topic that is deleted is gone, and one of its name begins anew', async () => {
      await produce(0, 10);
      await client.admin.deleteTopics([topic]);
      const names = async () => (await client.admin.topics()).map(({ name }) => name);
      await expect.poll(names, soon).not.toContain(topic);
      await client.admin.ensureTopics([{ name: topic, partitionCount: 2 }]);
      const ends = async () => (await client.admin.watermarks(topic)).map(({ high }) => high);
      await expect.poll(ends, soon).toEqual([0n, 0n]);
    });

    test('a topic that is not there cannot be deleted, and is named', async () => {
      await expect(client.admin.deleteTopics(['reading.nowhere'])).rejects.toMatchObject({
        code: 'unknown-topic',
        message: expect.stringContaining('reading.nowhere'),
      });
    });

    test('a group that is deleted has no offsets any more', async () => {
      const group = `${topic}-group`;
      await client.admin.commitOffsets(group, topic, new Map([[0, 5n]]));
      await client.admin.deleteGroups([group]);
      await expect.poll(() => client.admin.groups(), soon).not.toContain(group);
      expect(await client.admin.committedOffsets(group, topic)).toEqual(new Map());
    });
  });
}
