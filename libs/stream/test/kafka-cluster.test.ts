import { type ApacheKafka, startApacheKafka, whyNoApacheKafka } from '@tickfold/testkit/apache-kafka';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type StreamClient, type StreamConfig } from '../src/index.ts';

const PARTITIONS = 6;
const reason = whyNoApacheKafka();

describe.skipIf(reason !== undefined)(`an Apache Kafka of three brokers${reason ? ` (${reason})` : ''}`, () => {
  let kafka: ApacheKafka;
  let client: StreamClient;

  beforeAll(async () => {
    kafka = await startApacheKafka({ brokers: 3, heapMb: 256, settings: { 'min.insync.replicas': 2 } });
    const config: StreamConfig = { engine: 'kafka', brokers: kafka.bootstrap.split(','), clientId: 'test' };
    client = await connect({ ...config, kafka: { replicationFactor: 3 } });
  }, 90_000);
  afterAll(async () => {
    await client?.close();
    await kafka?.stop();
  });

  test('is read and written on while a broker is killed and comes back: nothing is lost, doubled or out of order', async () => {
    const topic = 'cluster.topic';
    const count = 6000;
    await client.admin.ensureTopics([{ name: topic, partitionCount: PARTITIONS }]);
    const read = Array.from({ length: PARTITIONS }, (): number[] => []);
    const total = () => read.reduce((sum, { length }) => sum + length, 0);
    const reading = (async () => {
      const assignments = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
      for await (const chunk of client.consumer({ assignments, maxBytes: 50_000 })) {
        for (const { value } of chunk.records()) read[chunk.partition]!.push(Number(String(value)));
        if (total() >= count) break;
      }
    })();

    const producer = client.producer({ lingerMs: 1, batchBytes: 2000, maxBufferedBytes: 20_000 });
    let dead: Promise<void> | undefined;
    for (let i = 0; i < count; i++) {
      const value = Buffer.from(`${i}`);
      const wait = producer.send({ topic, partition: i % PARTITIONS, key: null, value, timestampMs: Date.now() });
      if (i === count / 3) dead = kafka.kill(2);
      if (i === (2 * count) / 3) dead = dead!.then(() => kafka.restart(2));
      if (wait !== undefined) await wait;
    }
    await producer.close();
    await dead;
    await reading;
    const whole = read.map((_, partition) =>
      Array.from({ length: count / PARTITIONS }, (__, i) => i * PARTITIONS + partition),
    );
    expect(read).toEqual(whole);
  }, 120_000);

  test('commits transactions over the partitions of several brokers', async () => {
    const topic = 'cluster.transactions';
    await client.admin.ensureTopics([{ name: topic, partitionCount: PARTITIONS }]);
    const producer = await client.transactionalProducer({ transactionalId: 'cluster.producer', lingerMs: 0 });
    for (const outcome of ['commit', 'abort', 'commit'] as const) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await producer.send({ topic, partition, key: null, value: Buffer.from(outcome), timestampMs: Date.now() });
      }
      if (outcome === 'commit') {
        await producer.commit([{ group: 'cluster.group', topic, offsets: new Map([[0, 7n]]) }]);
      } else {
        await producer.abort();
      }
    }
    await producer.close();
    const seen: string[] = [];
    const assignments = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
    for await (const chunk of client.consumer({ assignments })) {
      for (const { value } of chunk.records()) seen.push(String(value));
      if (seen.length >= 2 * PARTITIONS) break;
    }
    expect(seen).toEqual(Array(2 * PARTITIONS).fill('commit'));
    await expect.poll(() => client.admin.committedOffsets('cluster.group', topic)).toEqual(new Map([[0, 7n]]));
  }, 60_000);
});
