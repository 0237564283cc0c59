import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import kafkaModule, {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type IHeaders,
  type Producer,
  type ProducerConfig,
} from 'kafkajs';
import type { Hearing, Judge, Subject, Verdict } from './judge.ts';

const {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} = kafkaModule;

const CASE_TIMEOUT_MS = 60_000;

const manifest: { version: string } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('kafkajs/package.json'), 'utf8'),
);

/** kafkajs, as this repository's own tests use it. */
export const kafkajs: Judge = {
  name: 'kafkajs',
  origin: `kafkajs ${manifest.version} (npm)`,
  async prepare() {},
  async hearings() {
    return Object.entries(cases).map(
      ([title, check]): Hearing => ({
        title,
        run: async (subject) => [await judge(title, check, subject)],
      }),
    );
  },
};

async function judge(title: string, check: Check, subject: Subject): Promise<Verdict> {
  const client = new Client(subject);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end in ${CASE_TIMEOUT_MS / 1000} s`)), CASE_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(client), limit]);
    return { case: title, outcome: 'passed' };
  } catch (error) {
    return { case: title, outcome: 'failed', why: (error as Error).message };
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}

interface Received {
  partition: number;
  offset: string;
  key: string | undefined;
  value: string | undefined;
  headers: IHeaders;
}

/** A client with a topic of its own, which is closed with all that it made. */
class Client {
  readonly topic = `kafkajs-${randomBytes(6).toString('hex')}`;
  readonly kafka: InstanceType<typeof Kafka>;
  readonly #open: (Producer | Consumer | Admin)[] = [];

  constructor({ bootstrap }: Subject) {
    this.kafka = new Kafka({ clientId: 'judge', brokers: [bootstrap], logLevel: logLevel.NOTHING });
  }

  async producer(config?: ProducerConfig): Promise<Producer> {
    const producer = this.kafka.producer(config);
    this.#open.push(producer);
    await producer.connect();
    return producer;
  }

  async admin(): Promise<Admin> {
    const admin = this.kafka.admin();
    this.#open.push(admin);
    await admin.connect();
    return admin;
  }

  async consumer(config: Partial<ConsumerConfig> = {}): Promise<Consumer> {
    const consumer = this.kafka.consumer({ groupId: this.topic, ...config });
    this.#open.push(consumer);
    await consumer.connect();
    return consumer;
  }

  async createTopic(numPartitions = 1): Promise<Admin> {
    const admin = await this.admin();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: this.topic, numPartitions }] });
    return admin;
  }

  async produce(...values: string[]): Promise<void> {
    const producer = await this.producer();
    await producer.send({ topic: this.topic, messages: values.map((value) => ({ value, partition: 0 })) });
  }

  /** Reads from the beginning until so many records came. */
  async read(count: number, config: Partial<ConsumerConfig> = {}): Promise<Received[]> {
    const consumer = await this.consumer(config);
    await consumer.subscribe({ topic: this.topic, fromBeginning: true });
    return this.collect(consumer, count);
  }

  async collect(consumer: Consumer, count: number): Promise<Received[]> {
    const received: Received[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          eachMessage: async ({ partition, message: { offset, key, value, headers } }) => {
            received.push({
              partition,
              offset,
              key: key?.toString(),
              value: value?.toString(),
              headers: headers ?? {},
            });
            if (received.length === count) resolve();
          },
        })
        .catch(reject);
    });
    // Leaving commits what was read.
    await consumer.disconnect();
    return received;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#open.map((each) => each.disconnect()));
  }
}

type Check = (client: Client) => Promise<void>;

const topicConfig = (name: string) => ({ type: ConfigResourceTypes.TOPIC, name });

const cases: Record<string, Check> = {
  'sends and reads keys, values and headers': async (client) => {
    const producer = await client.producer();
    await producer.send({
      topic: client.topic,
      messages: [{ key: 'k', value: 'v', headers: { h: 'x' }, partition: 0 }],
    });
    const [record] = await client.read(1);
    same([record!.key, record!.value, record!.headers.h?.toString()], ['k', 'v', 'x']);
  },
  'sends with acks=0': async (client) => {
    await client.createTopic();
    const producer = await client.producer();
    await producer.send({ topic: client.topic, acks: 0, messages: [{ value: 'a' }] });
    same((await client.read(1))[0]!.value, 'a');
  },
  'sends and reads gzip': async (client) => {
    const producer = await client.producer();
    const messages = Array.from({ length: 1_000 }, (_, i) => ({ value: `value ${i}`, partition: 0 }));
    await producer.send({ topic: client.topic, compression: CompressionTypes.GZIP, messages });
    same(
      (await client.read(1_000)).map(({ value }) => value),
      messages.map(({ value }) => value),
    );
  },
  'produces as an idempotent producer': async (client) => {
    await client.createTopic();
    const producer = await client.producer({ idempotent: true });
    for (const value of ['a', 'b', 'c']) await producer.send({ topic: client.topic, messages: [{ value }] });
    same(
      (await client.read(3)).map(({ offset }) => offset),
      ['0', '1', '2'],
    );
  },
  'reads no aborted transaction': async (client) => {
    await client.createTopic();
    const producer = await client.producer({ transactionalId: client.topic, idempotent: true, maxInFlightRequests: 1 });
    for (const value of ['aborted', 'committed']) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: client.topic, messages: [{ value }] });
      await (value === 'aborted' ? transaction.abort() : transaction.commit());
    }
    same((await client.read(1))[0]!.value, 'committed');
  },
  'reads aborted records when it asks for all': async (client) => {
    await client.createTopic();
    const producer = await client.producer({ transactionalId: client.topic, idempotent: true, maxInFlightRequests: 1 });
    const transaction = await producer.transaction();
    await transaction.send({ topic: client.topic, messages: [{ value: 'aborted' }] });
    await transaction.abort();
    same((await client.read(1, { readUncommitted: true }))[0]!.value, 'aborted');
  },
  'commits offsets with a transaction': async (client) => {
    const admin = await client.createTopic();
    const producer = await client.producer({ transactionalId: client.topic, idempotent: true, maxInFlightRequests: 1 });
    const offsetOf = async () => {
      const [topic] = await admin.fetchOffsets({ groupId: client.topic, topics: [client.topic] });
      return topic!.partitions[0]!.offset;
    };
    for (const [offset, end] of [
      ['5', 'abort'],
      ['7', 'commit'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: client.topic, messages: [{ value: 'v' }] });
      const partitions = [{ partition: 0, offset }];
      await transaction.sendOffsets({ consumerGroupId: client.topic, topics: [{ topic: client.topic, partitions }] });
      await transaction[end]();
    }
    same(await offsetOf(), '7');
  },
  'fences an older producer of the same transactional id': async (client) => {
    await client.createTopic();
    const config = { transactionalId: client.topic, idempotent: true, maxInFlightRequests: 1, retry: { retries: 1 } };
    const older = await client.producer(config);
    const olderTransaction = await older.transaction();
    await olderTransaction.send({ topic: client.topic, messages: [{ value: 'older' }] });
    const newer = await client.producer(config);
    const transaction = await newer.transaction();
    await transaction.send({ topic: client.topic, messages: [{ value: 'newer' }] });
    await transaction.commit();
    await refused(() => olderTransaction.commit());
    same((await client.read(1))[0]!.value, 'newer');
  },
  'goes on where its group ended': async (client) => {
    await client.produce('a', 'b');
    same(
      (await client.read(2)).map(({ value }) => value),
      ['a', 'b'],
    );
    await client.produce('c');
    same((await client.read(1))[0]!.value, 'c');
  },
  'shares the partitions of a topic in a group': async (client) => {
    await client.createTopic(4);
    const assigned: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const join = async (member: number): Promise<void> => {
        const consumer = await client.consumer();
        consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
          assigned[member] = payload.memberAssignment[client.topic]?.length ?? 0;
          if (assigned[0] === 2 && assigned[1] === 2) resolve();
        });
        await consumer.subscribe({ topic: client.topic });
        await consumer.run({ eachMessage: async () => {} });
      };
      Promise.all([join(0), join(1)]).catch(reject);
    });
  },
  'subscribes by a regular expression': async (client) => {
    await client.produce('a');
    const consumer = await client.consumer();
    await consumer.subscribe({ topic: new RegExp(`^${client.topic}$`), fromBeginning: true });
    same((await client.collect(consumer, 1))[0]!.value, 'a');
  },
  'seeks into the middle of a batch': async (client) => {
    await client.produce('a', 'b', 'c');
    const consumer = await client.consumer();
    await consumer.subscribe({ topic: client.topic, fromBeginning: true });
    const reading = client.collect(consumer, 1);
    consumer.seek({ topic: client.topic, partition: 0, offset: '2' });
    same((await reading)[0]!.offset, '2');
  },
  'describes the cluster': async (client) => {
    const { brokers, controller } = await (await client.admin()).describeCluster();
    same([brokers.length, controller], [1, brokers[0]!.nodeId]);
  },
  'creates, lists and deletes topics': async (client) => {
    const admin = await client.createTopic(3);
    same((await admin.listTopics()).includes(client.topic), true);
    same((await admin.fetchTopicMetadata({ topics: [client.topic] })).topics[0]!.partitions.length, 3);
    await admin.deleteTopics({ topics: [client.topic] });
    same((await admin.listTopics()).includes(client.topic), false);
  },
  'adds partitions to a topic': async (client) => {
    const admin = await client.createTopic(1);
    await admin.createPartitions({ topicPartitions: [{ topic: client.topic, count: 3 }] });
    await eventually(async () =>
      same((await admin.fetchTopicMetadata({ topics: [client.topic] })).topics[0]!.partitions.length, 3),
    );
  },
  'changes a setting of a topic': async (client) => {
    const admin = await client.createTopic();
    const configEntries = [{ name: 'retention.ms', value: '123456' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...topicConfig(client.topic), configEntries }] });
    await eventually(async () => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: true,
        resources: [{ ...topicConfig(client.topic), configNames: ['retention.ms'] }],
      });
      same(resources[0]!.configEntries[0]!.configValue, '123456');
    });
  },
  'describes every setting of a topic and of the broker': async (client) => {
    const admin = await client.createTopic();
    const { brokers } = await admin.describeCluster();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [topicConfig(client.topic), { type: ConfigResourceTypes.BROKER, name: String(brokers[0]!.nodeId) }],
    });
    for (const name of ['cleanup.policy', 'retention.ms', 'retention.bytes', 'segment.bytes', 'max.message.bytes'])
      same(
        resources[0]!.configEntries.some((entry) => entry.configName === name),
        true,
      );
    same(
      resources[1]!.configEntries.some(({ configName }) => configName === 'num.partitions'),
      true,
    );
  },
  'asks for the offsets of a topic, also by time': async (client) => {
    const before = Date.now() - 1_000;
    await client.produce('a', 'b');
    const admin = await client.admin();
    const [first] = (await admin.fetchTopicOffsets(client.topic)).filter(({ partition }) => partition === 0);
    same([first!.low, first!.high], ['0', '2']);
    const byTime = await admin.fetchTopicOffsetsByTimestamp(client.topic, before);
    same(byTime.find(({ partition }) => partition === 0)!.offset, '0');
  },
  'deletes records before an offset': async (client) => {
    await client.produce('a', 'b', 'c');
    const admin = await client.admin();
    // Without this kafkajs does not know the leader.
    await admin.fetchTopicOffsets(client.topic);
    await admin.deleteTopicRecords({ topic: client.topic, partitions: [{ partition: 0, offset: '2' }] });
    same((await client.read(1))[0]!.value, 'c');
  },
  'lists, describes and deletes a group': async (client) => {
    await client.produce('a');
    await client.read(1);
    const admin = await client.admin();
    same(
      (await admin.listGroups()).groups.some(({ groupId }) => groupId === client.topic),
      true,
    );
    same((await admin.describeGroups([client.topic])).groups[0]!.state, 'Empty');
    await admin.deleteGroups([client.topic]);
    same(
      (await admin.listGroups()).groups.some(({ groupId }) => groupId === client.topic),
      false,
    );
  },
  'sets and resets the offsets of a group': async (client) => {
    await client.produce('a', 'b', 'c');
    const admin = await client.admin();
    const fetch = async () => {
      const [topic] = await admin.fetchOffsets({ groupId: client.topic, topics: [client.topic] });
      return topic!.partitions.find(({ partition }) => partition === 0)!.offset;
    };
    await admin.setOffsets({ groupId: client.topic, topic: client.topic, partitions: [{ partition: 0, offset: '2' }] });
    same(await fetch(), '2');
    await admin.resetOffsets({ groupId: client.topic, topic: client.topic, earliest: true });
    // kafkajs commits the number that stands for "earliest".
    same(await fetch(), '-2');
  },
  'is told that nobody checks access': async (client) => {
    const admin = await client.admin();
    const anything = {
      resourceName: client.topic,
      resourceType: AclResourceTypes.TOPIC,
      host: '*',
      permissionType: AclPermissionTypes.ALLOW,
      operation: AclOperationTypes.ANY,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    };
    await refused(() => admin.describeAcls(anything));
  },
};

/** What was changed is seen a moment later on Apache Kafka. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 20) throw error;
      await delay(250);
    }
  }
}

async function refused(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch {
    return;
  }
  throw new Error('was expected to be refused');
}

function same(got: unknown, expected: unknown): void {
  const [is, shall] = [JSON.stringify(got), JSON.stringify(expected)];
  if (is !== shall) throw new Error(`expected ${shall?.slice(0, 80)}, got ${is?.slice(0, 80)}`);
}
