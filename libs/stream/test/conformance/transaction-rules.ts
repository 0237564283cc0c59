import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type StreamClient, type TransactionalProducer } from '../../src/index.ts';
import type { Served, SetUp } from './set-ups.ts';

/** What every engine promises of transactions. */
export function describeTransactionRules({ title, serve }: SetUp): void {
  describe(`transactions: ${title}`, () => {
    let served: Served;
    let client: StreamClient;
    let number = 0;
    let topic: string;
    let transactionalId: string;

    beforeAll(async () => {
      served = await serve();
    }, 60_000);
    afterAll(() => served?.stop());
    beforeEach(async () => {
      client = await connect(served.config);
      topic = `transactions.topic-${++number}`;
      transactionalId = `transactions.producer-${number}`;
      await client.admin.ensureTopics([{ name: topic, partitionCount: 2 }]);
    });
    afterEach(() => client?.close());

    const open = () => client.transactionalProducer({ transactionalId, lingerMs: 0 });

    async function send(producer: TransactionalProducer, ...values: string[]): Promise<void> {
      for (const [i, value] of values.entries()) {
        await producer.send({ topic, partition: i % 2, key: null, value: Buffer.from(value), timestampMs: 1 });
      }
    }

    /** The values that a reader sees until it has seen as much as there is now. */
    async function seen(isolation: 'committed' | 'uncommitted' = 'committed'): Promise<string[]> {
      const values: string[] = [];
      for (const partition of [0, 1]) {
        const consumer = client.consumer({ assignments: [{ topic, partition }], isolation, maxWaitMs: 10 });
        const marker = client.producer();
        await marker.send({ topic, partition, key: null, value: Buffer.from('end'), timestampMs: 1 });
        await marker.close();
        for await (const chunk of consumer) {
          const read = [...chunk.records()].map(({ value }) => String(value));
          values.push(...read.filter((value) => value !== 'end'));
          if (read.includes('end')) break;
        }
        await consumer.close();
      }
      return values.sort();
    }

    test('what is committed is seen, in every partition, and a last record is one that was sent', async () => {
      const producer = await open();
      await send(producer, 'a', 'b', 'c');
      await producer.commit();
      await send(producer, 'd');
      await producer.commit();
      expect(String((await client.lastRecord(topic, 0))!.value)).toBe('d');
      expect(String((await client.lastRecord(topic, 1))!.value)).toBe('b');
      expect(await seen()).toEqual(['a', 'b', 'c', 'd']);
      await producer.close();
    });

    test('what is not committed yet is seen by nobody who reads committed records, nor counted as there', async () => {
      const producer = await open();
      await send(producer, 'a', 'b');
      await producer.flush();
      expect(await client.lastRecord(topic, 0)).toBeUndefined();
      expect((await client.admin.watermarks(topic)).map(({ high }) => high)).toEqual([0n, 0n]);
      const consumer = client.consumer({ assignments: [{ topic, partition: 0 }], isolation: 'uncommitted' });
      for await (const chunk of consumer) {
        expect([...chunk.records()].map(({ value }) => String(value))).toEqual(['a']);
        break;
      }
      await producer.commit();
      expect(await seen()).toEqual(['a', 'b']);
      await producer.close();
    });

    test('what is aborted is never seen, though what comes before and after it is', async () => {
      const producer = await open();
      await send(producer, 'a', 'b');
      await producer.commit();
      await send(producer, 'x', 'y', 'z');
      await producer.abort();
      await send(producer, 'c', 'd');
      await producer.commit();
      expect(await seen()).toEqual(['a', 'b', 'c', 'd']);
      expect(await seen('uncommitted')).toEqual(['a', 'b', 'c', 'd', 'x', 'y', 'z']);
      await producer.close();
    });

    test('what is not committed when a producer closes is aborted', async () => {
      const producer = await open();
      await send(producer, 'x');
      await producer.close();
      expect(await seen()).toEqual([]);
    });

    test('offsets of a group are committed with the records, or not at all', async () => {
      const group = `transactions.group-${number}`;
      const producer = await open();
      await send(producer, 'a');
      await producer.commit([{ group, topic, offsets: new Map([[1, 5n]]) }]);
      await expect.poll(() => client.admin.committedOffsets(group, topic)).toEqual(new Map([[1, 5n]]));
      await producer.commit([{ group, topic, offsets: new Map([[1, 6n]]) }]);
      await expect.poll(() => client.admin.committedOffsets(group, topic)).toEqual(new Map([[1, 6n]]));
      expect(await seen()).toEqual(['a']);
      await producer.close();
    });

    test('a producer shuts out the one before it of the same id, whose open transaction is taken back', async () => {
      const first = await open();
      await send(first, 'x');
      await first.flush();
      const second = await open();
      await send(second, 'a');
      await second.commit();
      await send(first, 'y');
      await expect(first.commit()).rejects.toMatchObject({ code: 'fenced' });
      expect(await seen()).toEqual(['a']);
      await second.close();
    });

    test('what is sent while a transaction commits belongs to the next one', async () => {
      const producer = await open();
      await send(producer, 'a');
      const committed = producer.commit();
      await send(producer, 'x', 'y');
      await committed;
      await producer.abort();
      await send(producer, 'b');
      await producer.commit();
      expect(await seen()).toEqual(['a', 'b']);
      await producer.close();
    });

    test('many transactions one behind the other keep order and number, also with more than a buffer holds', async () => {
      const producer = await client.transactionalProducer({
        transactionalId,
        lingerMs: 1,
        batchBytes: 300,
        maxBufferedBytes: 2000,
      });
      const commits: Promise<void>[] = [];
      for (let i = 0; i < 3000; i++) {
        const value = Buffer.from(`${i}`.padStart(4, '0'));
        const wait = producer.send({ topic, partition: 0, key: null, value, timestampMs: 1 });
        if (wait !== undefined) await wait;
        if (i % 97 === 0) commits.push(producer.commit());
      }
      commits.push(producer.commit());
      await Promise.all(commits);
      expect(await seen()).toEqual(Array.from({ length: 3000 }, (_, i) => `${i}`.padStart(4, '0')));
      await producer.close();
    });

    test('the first offset at or after a time is told, and the end where no record is that late', async () => {
      const producer = client.producer();
      for (const timestampMs of [100, 200, 300]) {
        await producer.send({ topic, partition: 0, key: null, value: null, timestampMs });
        await producer.flush();
      }
      await producer.close();
      expect(await client.admin.offsetsAtTime(topic, 150)).toEqual(
        new Map([
          [0, 1n],
          [1, 0n],
        ]),
      );
      expect(await client.admin.offsetsAtTime(topic, 301)).toEqual(
        new Map([
          [0, 3n],
          [1, 0n],
        ]),
      );
    });

    test('a broker that is killed in the middle loses and doubles nothing that goes on from its committed offset', async () => {
      const count = 1000;
      const group = `transactions.group-${number}`;
      const interruptions = new Set([200, 600]);

      /** Sends numbers from where the group is, twenty a transaction, and kills the broker on its way. */
      async function run(): Promise<void> {
        client = await connect(served.config);
        const producer = await open();
        const committed = await client.admin.committedOffsets(group, topic);
        for (let i = Number(committed.get(0) ?? 0n); i < count; i++) {
          await producer.send({ topic, partition: 0, key: null, value: Buffer.from(`${i}`), timestampMs: Date.now() });
          if (interruptions.delete(i)) void served.kill().then(() => served.restart());
          if (i % 20 === 19) await producer.commit([{ group, topic, offsets: new Map([[0, BigInt(i + 1)]]) }]);
        }
        await producer.close();
      }

      for (let runs = 1; ; runs++) {
        try {
          await client.close();
          await run();
          break;
        } catch (error) {
          expect(error).toMatchObject({ retry: true });
          expect(runs).toBeLessThan(50);
        }
      }
      const numbers = (await seen()).map(Number).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
    }, 90_000);
  });
}
