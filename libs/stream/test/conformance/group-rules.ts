import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type GroupConsumerOptions, type StreamClient, type TopicPartition } from '../../src/index.ts';
import type { Served, SetUp } from './set-ups.ts';

const PARTITIONS = 4;

/** What every engine promises of groups. */
export function describeGroupRules({ title, serve }: SetUp): void {
  describe(`groups: ${title}`, () => {
    let served: Served;
    let client: StreamClient;
    let number = 0;
    let topic: string;
    let group: string;

    beforeAll(async () => {
      served = await serve();
    }, 60_000);
    afterAll(() => served?.stop());
    beforeEach(async () => {
      client = await connect(served.config);
      topic = `groups.topic-${++number}`;
      group = `groups.group-${number}`;
      await client.admin.ensureTopics([{ name: topic, partitionCount: PARTITIONS }]);
    });
    afterEach(() => client?.close());

    async function produce(from: number, to: number): Promise<void> {
      const producer = client.producer({ lingerMs: 0 });
      for (let i = from; i < to; i++) {
        producer.send({ topic, partition: i % PARTITIONS, key: null, value: Buffer.from(`${i}`), timestampMs: 1 });
      }
      await producer.close();
    }

    /** No rule lasts that long: what waits for the end of a session fails. */
    const LONG_SESSION_MS = 300_000;

    /** A member that reads into `read` until it is closed, and commits what it read whenever it gives partitions up. */
    function member(options: Partial<GroupConsumerOptions> = {}, on: StreamClient = client) {
      const read: number[] = [];
      const positions = new Map<number, bigint>();
      let held: readonly TopicPartition[] = [];
      const consumer = on.groupConsumer({
        group,
        topics: [topic],
        maxWaitMs: 50,
        sessionTimeoutMs: 6_000,
        ...options,
        async onAssigned(partitions) {
          held = partitions;
          return options.onAssigned?.(partitions);
        },
        async onRevoked() {
          held = [];
          await consumer.commit(topic, positions);
          positions.clear();
        },
      });
      const done = (async () => {
        for await (const chunk of consumer) {
          for (const { value } of chunk.records()) read.push(Number(String(value)));
          positions.set(chunk.partition, chunk.nextOffset);
        }
      })();
      done.catch(() => {});
      return {
        read,
        done,
        holds: () => held.map(({ partition }) => partition).sort(),
        async close() {
          await consumer.close();
          await done;
        },
      };
    }

    const sorted = (...lists: number[][]) => lists.flat().sort((a, b) => a - b);
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
    const soon = { timeout: 20_000, interval: 20 };

    test('a member that is alone reads every partition, and the next one goes on where it stopped', async () => {
      await produce(0, 100);
      const first = member();
      await expect.poll(() => sorted(first.read), soon).toEqual(numbers(100));
      expect(first.holds()).toEqual(numbers(PARTITIONS));
      await first.close();
      await produce(100, 120);
      const second = member();
      await expect.poll(() => sorted(second.read), soon).toEqual(numbers(120).slice(100));
      await second.close();
    });

    test('members share the partitions evenly as they come and go, and each record is read once', async () => {
      const first = member();
      await produce(0, 100);
      await expect.poll(() => first.read.length, soon).toBe(100);
      const second = member();
      await expect.poll(() => [first.holds().length, second.holds().length], soon).toEqual([2, 2]);
      expect(sorted(first.holds(), second.holds())).toEqual(numbers(PARTITIONS));
      await produce(100, 200);
      await expect.poll(() => sorted(first.read, second.read), soon).toEqual(numbers(200));
      await first.close();
      await expect.poll(() => second.holds(), soon).toEqual(numbers(PARTITIONS));
      await produce(200, 300);
      await expect.poll(() => sorted(first.read, second.read), soon).toEqual(numbers(300));
      await second.close();
    }, 60_000);

    test('a member that is one too many waits until there is something for it', async () => {
      const members = numbers(PARTITIONS + 1).map(() => member());
      const shares = () => members.map(({ holds }) => holds().length).sort();
      await expect.poll(shares, soon).toEqual([0, 1, 1, 1, 1]);
      const busy = members.find(({ holds }) => holds().length === 1)!;
      await busy.close();
      await expect.poll(shares, soon).toEqual([0, 1, 1, 1, 1]);
      await produce(0, 40);
      await expect.poll(() => sorted(...members.map(({ read }) => read)), soon).toEqual(numbers(40));
      await Promise.all(members.filter((one) => one !== busy).map((one) => one.close()));
    }, 60_000);

    test('a group without an offset starts at the end where it is told to', async () => {
      await produce(0, 10);
      const reader = member({ from: 'end' });
      await expect.poll(() => reader.holds(), soon).toEqual(numbers(PARTITIONS));
      await expect
        .poll(async () => {
          await produce(10, 14);
          return reader.read.length;
        }, soon)
        .toBeGreaterThan(0);
      expect(Math.min(...reader.read)).toBe(10);
      await reader.close();
    });

    test('a member may name other places to start from than the committed ones', async () => {
      await produce(0, 40);
      const reader = member({ onAssigned: async (places) => places.map((place) => ({ ...place, offset: 9n })) });
      await expect.poll(() => sorted(reader.read), soon).toEqual([36, 37, 38, 39]);
      await reader.close();
    });

    test('a loop that is left leaves the group', async () => {
      await produce(0, 10);
      for await (const _ of client.groupConsumer({ group, topics: [topic] })) break;
      const next = member();
      await expect.poll(() => sorted(next.read), { timeout: 5_000 }).toEqual(numbers(10));
      await next.close();
    });

    test('an instance that is killed gets its partitions again at once when it comes back', async () => {
      await produce(0, 40);
      const sessionTimeoutMs = LONG_SESSION_MS;
      const other = await connect(served.config);
      const first = member({ instanceId: 'one', sessionTimeoutMs });
      const second = member({ instanceId: 'two', sessionTimeoutMs }, other);
      await expect.poll(() => [first.holds().length, second.holds().length], soon).toEqual([2, 2]);
      const had = second.holds();
      // No word to the group: as when the process dies.
      await other.close();
      const again = member({ instanceId: 'two', sessionTimeoutMs });
      await expect.poll(() => again.holds(), soon).toEqual(had);
      await Promise.all([first.close(), again.close()]);
    }, 60_000);

    test('an instance whose name another process takes ends, told what to change', async () => {
      const first = member({ instanceId: 'one', sessionTimeoutMs: LONG_SESSION_MS });
      await expect.poll(() => first.holds(), soon).toEqual(numbers(PARTITIONS));
      const second = member({ instanceId: 'one', sessionTimeoutMs: LONG_SESSION_MS });
      await expect(first.done).rejects.toMatchObject({ code: 'fenced', mend: expect.stringContaining('INSTANCE') });
      await produce(0, 40);
      await expect.poll(() => sorted(second.read), soon).toEqual(numbers(40));
      await second.close();
    }, 60_000);

    test('a group of a topic that does not exist fails with its name', async () => {
      const consumer = client.groupConsumer({ group, topics: ['groups.nowhere'] });
      await expect(consumer[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'unknown-topic',
        message: expect.stringContaining("'groups.nowhere'"),
      });
    });
  });
}
