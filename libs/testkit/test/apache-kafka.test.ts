import { Kafka, logLevel } from 'kafkajs';
import { afterEach, describe, expect, test } from 'vitest';
import { type ApacheKafka, runKafkaClass, startApacheKafka, whyNoApacheKafka } from '../src/apache-kafka.ts';

const reason = whyNoApacheKafka();
/** A killed broker's registration has to lapse before it may come back. */
const settings = { 'broker.heartbeat.interval.ms': 200, 'broker.session.timeout.ms': 1_000 };
let running: ApacheKafka | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

describe.skipIf(reason !== undefined)(`a real Apache Kafka${reason ? ` (skipped: ${reason})` : ''}`, () => {
  test('a killed broker comes back with its records at its address', { timeout: 60_000 }, async () => {
    running = await startApacheKafka({ settings });
    const kafka = new Kafka({ brokers: [running.bootstrap], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 't', messages: [{ value: 'kept' }] });
    await producer.disconnect();

    await running.kill(1);
    expect(running.pids.size).toBe(0);
    await running.restart(1);

    const consumer = kafka.consumer({ groupId: 'g' });
    await consumer.connect();
    await consumer.subscribe({ topic: 't', fromBeginning: true });
    const value = await new Promise((resolve) => {
      void consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) });
    });
    await consumer.disconnect();
    expect(value).toBe('kept');
  });

  test('three brokers replicate a topic, which the tools of Kafka can say', { timeout: 60_000 }, async () => {
    running = await startApacheKafka({ brokers: 3, heapMb: 256, settings });
    const topics = ['--bootstrap-server', running.bootstrap, '--topic', 't'];
    await runKafkaClass('org.apache.kafka.tools.TopicCommand', ['--create', ...topics]);
    const { stdout } = await runKafkaClass('org.apache.kafka.tools.TopicCommand', ['--describe', ...topics]);
    expect(stdout).toContain('ReplicationFactor: 3');
  });

  test('a broker that cannot start ends the attempt with its own words', { timeout: 60_000 }, async () => {
    await expect(startApacheKafka({ settings: { 'socket.send.buffer.bytes': 'many' } })).rejects.toThrow(/many/);
  });
});
