import { CompressionTypes, type Consumer, type EachMessagePayload, type Kafka } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
const open: { disconnect(): Promise<void> }[] = [];

beforeEach(async () => {
  running = await startTestBroker({ groups: { initialRebalanceDelayMs: 0 } });
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.disconnect();
  await running.close();
});

function admin(kafka: Kafka = running.kafka) {
  const client = kafka.admin();
  open.push(client);
  return client;
}

function producer() {
  const client = running.kafka.producer();
  open.push(client);
  return client;
}

function consumer(groupId: string, kafka: Kafka = running.kafka): Consumer {
  // kafkajs sends heartbeats between its fetches: short ones make it notice a rebalance soon.
  const client = kafka.consumer({ groupId, heartbeatInterval: 50, maxWaitTimeInMs: 50 });
  open.push(client);
  return client;
}

/** Runs the consumer until it has met so many messages. */
async function take(client: Consumer, topic: string, count: number): Promise<EachMessagePayload[]> {
  const taken: EachMessagePayload[] = [];
  await client.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    client.on(client.events.CRASH, ({ payload }) => reject(payload.error));
    client
      .run({
        autoCommitThreshold: 1,
        eachMessage: async (message) => {
          taken.push(message);
          if (taken.length === count) resolve();
        },
      })
      .catch(reject);
  });
  return taken;
}

async function produce(topic: string, values: string[], compression = CompressionTypes.None): Promise<void> {
  const client = producer();
  await client.connect();
  await client.send({ topic, compression, messages: values.map((value) => ({ key: value, value })) });
}

describe('admin', () => {
  test('makes topics, lists them, describes them and deletes them', async () => {
    const client = admin();
    await client.connect();
    await client.createTopics({ topics: [{ topic: 'market.ticks', numPartitions: 4 }] });
    expect(await client.listTopics()).toEqual(['market.ticks']);
    const { topics } = await client.fetchTopicMetadata({ topics: ['market.ticks'] });
    expect(topics[0]!.partitions.map(({ partitionId, leader }) => [partitionId, leader]).sort()).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    await client.deleteTopics({ topics: ['market.ticks'] });
    expect(await client.listTopics()).toEqual([]);
  });

  test('says that a topic exists already instead of making it again', async () => {
    const client = admin();
    await client.connect();
    expect(await client.createTopics({ topics: [{ topic: 'a' }] })).toBe(true);
    expect(await client.createTopics({ topics: [{ topic: 'a' }] })).toBe(false);
  });

  test('reads the settings that a topic was made with', async () => {
    const client = admin();
    await client.connect();
    const configEntries = [{ name: 'max.message.bytes', value: '2000000' }];
    await client.createTopics({ topics: [{ topic: 'a', configEntries }] });
    const { resources } = await client.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'a', configNames: ['max.message.bytes', 'cleanup.policy'] }],
    });
    const values = resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]);
    expect(Object.fromEntries(values)).toEqual({ 'max.message.bytes': '2000000', 'cleanup.policy': 'delete' });
  });

  test('finds offsets by time: the first record that is not earlier, or the end', async () => {
    const client = producer();
    await client.connect();
    for (const timestamp of ['1000', '2000', '3000']) {
      await client.send({ topic: 't', messages: [{ value: timestamp, timestamp }] });
    }
    const tool = admin();
    await tool.connect();
    const at = async (ms: number) => (await tool.fetchTopicOffsetsByTimestamp('t', ms))[0]!.offset;
    expect([await at(0), await at(1001), await at(3000), await at(3001)]).toEqual(['0', '1', '2', '3']);
  });
});

describe('produce and consume', () => {
  test.each([
    ['uncompressed', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP],
  ])('%s records come back as they were sent, in order, at consecutive offsets', async (_name, compression) => {
    const values = Array.from({ length: 100 }, (_, i) => `value-${i}`);
    await produce('t', values, compression);
    const taken = await take(consumer('group'), 't', values.length);
    expect(taken.map(({ message }) => message.value!.toString())).toEqual(values);
    expect(taken.map(({ message }) => message.offset)).toEqual(values.map((_, i) => String(i)));
  });

  test('headers, null values and timestamps are kept', async () => {
    const client = producer();
    await client.connect();
    await client.send({
      topic: 't',
      messages: [{ key: 'k', value: null, timestamp: '1234', headers: { kind: 'trade' } }],
    });
    const [{ message }] = (await take(consumer('group'), 't', 1)) as [EachMessagePayload];
    expect(message).toMatchObject({ value: null, timestamp: '1234' });
    expect(message.headers!.kind!.toString()).toBe('trade');
  });

  test('a consumer that seeks into the middle of a batch begins exactly there', async () => {
    await produce('t', ['a', 'b', 'c', 'd']);
    const client = consumer('group');
    await client.connect();
    await client.subscribe({ topic: 't', fromBeginning: true });
    const taken: string[] = [];
    await new Promise<void>((resolve, reject) => {
      client.on(client.events.GROUP_JOIN, () => client.seek({ topic: 't', partition: 0, offset: '2' }));
      client
        .run({
          eachMessage: async ({ message }) => {
            taken.push(message.value!.toString());
            if (taken.at(-1) === 'd') resolve();
          },
        })
        .catch(reject);
    });
    expect(taken).toEqual(['c', 'd']);
  });
});

describe('groups', () => {
  test('two members share the partitions, and the one that stays takes over those of the one that leaves', async () => {
    const tool = admin();
    await tool.connect();
    await tool.createTopics({ topics: [{ topic: 't', numPartitions: 4 }] });
    const assigned: number[][] = [];
    const seen = new Map<string, () => void>();
    const until = (what: string) => new Promise<void>((resolve) => seen.set(what, resolve));
    const note = (who: number) => (event: { payload: { memberAssignment: Record<string, number[]> } }) => {
      assigned[who] = event.payload.memberAssignment.t ?? [];
      seen.get(assigned.map((partitions) => partitions.length).join())?.();
    };
    const start = async (who: number) => {
      const client = consumer('group');
      client.on(client.events.GROUP_JOIN, note(who));
      await client.subscribe({ topic: 't' });
      await client.run({ eachMessage: async () => {} });
      return client;
    };

    const both = until('2,2');
    const first = await start(0);
    await start(1);
    await both;
    expect([...assigned[0]!, ...assigned[1]!].sort()).toEqual([0, 1, 2, 3]);
    const { groups } = await tool.describeGroups(['group']);
    expect(groups[0]).toMatchObject({ state: 'Stable', protocolType: 'consumer' });
    expect(groups[0]!.members).toHaveLength(2);

    assigned[0] = [];
    const alone = until('0,4');
    await first.disconnect();
    await alone;
    expect(assigned[1]!.toSorted()).toEqual([0, 1, 2, 3]);
  });

  test('go on where they were after a restart of the broker', async () => {
    await produce('t', ['a', 'b']);
    const before = consumer('market.group');
    await take(before, 't', 2);
    await before.disconnect();

    running = await running.restarted();
    const tool = admin();
    await tool.connect();
    const [committed] = await tool.fetchOffsets({ groupId: 'market.group', topics: ['t'] });
    expect(committed!.partitions).toMatchObject([{ partition: 0, offset: '2' }]);
    await produce('t', ['c']);
    const [next] = await take(consumer('market.group'), 't', 1);
    expect(next!.message.value!.toString()).toBe('c');
  });

  test('are listed, and deleted once they have no members', async () => {
    await produce('t', ['a']);
    const client = consumer('group');
    await take(client, 't', 1);
    const tool = admin();
    await tool.connect();
    expect((await tool.listGroups()).groups.map(({ groupId }) => groupId)).toEqual(['group']);
    await expect(tool.deleteGroups(['group'])).rejects.toThrow();
    await client.disconnect();
    await tool.deleteGroups(['group']);
    expect((await tool.listGroups()).groups).toEqual([]);
  });
});
