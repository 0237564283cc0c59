import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProcessor, type StreamClient } from '../src/index.ts';
import {
  type CounterOptions,
  connectTo,
  expectExactlyOnce,
  fillInput,
  groupOf,
  handleWith,
  newTopics,
  optionsFor,
  PARTITIONS,
  PER_PARTITION,
  runToEnd,
  type Topics,
  withClient,
} from './counting-processor.ts';

/** No test is that long: what waits for the end of a session fails. */
const LONG_SESSION_MS = 600_000;
const soon = { timeout: 20_000, interval: 10 };

let broker: EmbeddedBroker;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());

/** An instance in a process of its own, as far as the broker can see. */
async function startInstance(topics: Topics, instanceId: string, more: Partial<CounterOptions> = {}) {
  const client = await connectTo(broker.address);
  const stop = new AbortController();
  const handle = handleWith(topics);
  let has: readonly number[] = [];
  let handled = 0;
  const running = runProcessor({
    ...optionsFor(topics, client, stop.signal),
    instanceId,
    sessionTimeoutMs: LONG_SESSION_MS,
    commitEveryMs: 5,
    handle(state, record, emit) {
      handled++;
      handle(state, record, emit);
    },
    onPartitions: (partitions) => {
      has = partitions;
    },
    ...more,
  });
  running.catch(() => {});
  return {
    running,
    partitions: () => has.toSorted(),
    handled: () => handled,
    async stop() {
      stop.abort();
      await running;
      await client.close();
    },
    /** As a process that is killed: its connections end, and it says nothing to the group. */
    async kill() {
      await client.close();
      await running.catch(() => {});
    },
  };
}

type Instance = Awaited<ReturnType<typeof startInstance>>;

const shares = (...instances: Instance[]) => instances.map((instance) => instance.partitions().length).sort();

async function untilHandled(client: StreamClient, { input }: Topics, group: string, end: number): Promise<void> {
  const ends = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, BigInt(end)]));
  await expect.poll(() => client.admin.committedOffsets(group, input), soon).toEqual(ends);
}

describe('instances of a processor', () => {
  test('share the partitions as they come and go, and every record counts once', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 300);
      const first = await startInstance(topics, '1');
      await expect.poll(first.handled, soon).toBeGreaterThan(100);
      const second = await startInstance(topics, '2');
      await expect.poll(() => shares(first, second), soon).toEqual([1, 2]);
      await fillInput(client, topics, 300, 600);
      const third = await startInstance(topics, '3');
      await expect.poll(() => shares(first, second, third), soon).toEqual([1, 1, 1]);
      await fillInput(client, topics, 600, 900);
      await first.stop();
      await expect.poll(() => shares(second, third), soon).toEqual([1, 2]);
      await fillInput(client, topics, 900, PER_PARTITION);
      await second.stop();
      await expect.poll(third.partitions, soon).toEqual([0, 1, 2]);
      await untilHandled(client, topics, groupOf(topics), PER_PARTITION);
      await third.stop();
      await expectExactlyOnce(client, topics);
    });
  });

  test('that are more than there are partitions stand by', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 50);
      const instances = await Promise.all(['1', '2', '3', '4'].map((id) => startInstance(topics, id)));
      await expect.poll(() => shares(...instances), soon).toEqual([0, 1, 1, 1]);
      const busy = instances.find(({ partitions }) => partitions().length === 1)!;
      await busy.stop();
      const others = instances.filter((instance) => instance !== busy);
      await expect.poll(() => shares(...others), soon).toEqual([1, 1, 1]);
      await Promise.all(others.map((instance) => instance.stop()));
      await runToEnd(broker.address, topics);
      await expectExactlyOnce(client, topics, 50);
    });
  });

  test('that are killed come back to their partitions at once', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 300);
      const first = await startInstance(topics, '1');
      const second = await startInstance(topics, '2');
      await expect.poll(() => shares(first, second), soon).toEqual([1, 2]);
      const had = second.partitions();
      await second.kill();
      await fillInput(client, topics, 300, 600);
      const again = await startInstance(topics, '2');
      await expect.poll(again.partitions, soon).toEqual(had);
      await untilHandled(client, topics, groupOf(topics), 600);
      await Promise.all([first.stop(), again.stop()]);
      await expectExactlyOnce(client, topics, 600);
    });
  });

  test('do not fold again what comes back to them as they left it', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 300);
      const first = await startInstance(topics, '1');
      await untilHandled(client, topics, groupOf(topics), 300);
      const second = await startInstance(topics, '2');
      await expect.poll(() => shares(first, second), soon).toEqual([1, 2]);
      await second.stop();
      await expect.poll(first.partitions, soon).toEqual([0, 1, 2]);
      await first.stop();
      // All of it once, and of what the other had for a while its records again.
      expect(first.handled()).toBeLessThanOrEqual(300 * PARTITIONS + 300 * 2);
      expect(first.handled()).toBeGreaterThanOrEqual(300 * PARTITIONS);
      await expectExactlyOnce(client, topics, 300);
    });
  });

  test('of one name do not work side by side: the former ends, told what to change, and nothing counts twice', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 300);
      const first = await startInstance(topics, '1', { commitEveryMs: 1 });
      await expect.poll(first.handled, soon).toBeGreaterThan(100);
      const second = await startInstance(topics, '1');
      await expect(first.running).rejects.toMatchObject({
        code: 'fenced',
        message: expect.stringContaining("as instance '1' now"),
        mend: expect.stringContaining('INSTANCE'),
      });
      await fillInput(client, topics, 300, 600);
      await untilHandled(client, topics, groupOf(topics), 600);
      await second.stop();
      await expectExactlyOnce(client, topics, 600);
    });
  });
});
