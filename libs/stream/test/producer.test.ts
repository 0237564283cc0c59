import { errorCodes, partitionOfKey } from '@tickfold/kafka-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, type OutgoingRecord, type Producer, type ProducerOptions, type StreamClient } from '../src/index.ts';
import { ScriptedBroker } from './scripted-broker.ts';

const PARTITIONS = 4;
const NEVER_LINGER = 3_600_000;

let broker: ScriptedBroker;
let client: StreamClient;

beforeEach(async () => {
  broker = await ScriptedBroker.start(PARTITIONS);
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(async () => {
  await client.close();
  await broker.stop();
});

function record(value: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { topic: 't', partition: 0, key: 'k', value: Buffer.from(value), timestampMs: 0, ...more };
}

/** A producer that knows the partitions of `t`, so that the first send does not wait for them. */
async function routedProducer(options: ProducerOptions): Promise<Producer> {
  const producer = client.producer(options);
  await producer.send(record('first'));
  const flushed = producer.flush();
  (await broker.nextProduce()).answer();
  await flushed;
  return producer;
}

describe('batching', () => {
  test('records of several partitions go out in one request, in order, when they have lingered', async () => {
    const producer = await routedProducer({ lingerMs: 1 });
    for (const value of ['a', 'b']) for (const partition of [0, 1]) producer.send(record(value, { partition }));
    const request = await broker.nextProduce();
    expect(request.partitions).toEqual([
      { topic: 't', partition: 0, values: ['a', 'b'] },
      { topic: 't', partition: 1, values: ['a', 'b'] },
    ]);
  });

  test('a full batch goes out at once', async () => {
    const producer = await routedProducer({ lingerMs: NEVER_LINGER, batchBytes: 1000 });
    producer.send(record('x'.repeat(1000)));
    expect((await broker.nextProduce()).partitions[0]!.values).toEqual(['x'.repeat(1000)]);
  });

  test('a partition has one request on its way at most, and what waits goes in its order with the next', async () => {
    const producer = await routedProducer({ lingerMs: NEVER_LINGER, batchBytes: 100 });
    const sent = Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(100, '.'));
    for (const value of sent) producer.send(record(value));
    const first = await broker.nextProduce();
    producer.send(record('other'.padEnd(100, '.'), { partition: 1 }));
    // The answer for the other partition comes first, so nothing more of partition 0 was sent until then.
    (await broker.nextProduce()).answer();
    expect(broker.waiting).toBe(0);
    first.answer();
    const second = await broker.nextProduce();
    expect([...first.partitions, ...second.partitions].flatMap(({ values }) => values)).toEqual(sent);
  });

  test('a key decides the partition as in every Kafka client', async () => {
    const producer = client.producer({ lingerMs: 1 });
    const keys = ['AAPL', 'MSFT', 'IBM', 'naïve'];
    for (const key of keys) await producer.send({ topic: 't', key, value: Buffer.from(key), timestampMs: 0 });
    const flushed = producer.flush();
    const found = new Map<string, number>();
    while (found.size < keys.length) {
      const request = await broker.nextProduce();
      for (const { partition, values } of request.partitions) for (const value of values) found.set(value, partition);
      request.answer();
    }
    await flushed;
    for (const key of keys) expect(found.get(key)).toBe(partitionOfKey(Buffer.from(key), PARTITIONS));
  });
});

describe('back-pressure', () => {
  test('a full buffer asks the sender to wait until there is room again', async () => {
    const producer = await routedProducer({ lingerMs: NEVER_LINGER, batchBytes: 500, maxBufferedBytes: 2000 });
    let sends = 0;
    let wait: Promise<void> | undefined;
    while (wait === undefined && sends < 100) {
      wait = producer.send(record('x'.repeat(500), { partition: sends % PARTITIONS }));
      sends++;
    }
    expect(sends).toBe(4);
    let hasRoom = false;
    const waited = wait!.then(() => {
      hasRoom = true;
    });
    const request = await broker.nextProduce();
    expect(hasRoom).toBe(false);
    request.answer();
    await waited;
  });

  test('flush waits for what was sent before it, not for what is sent after it', async () => {
    const producer = await routedProducer({ lingerMs: NEVER_LINGER });
    producer.send(record('before'));
    const flushed = producer.flush();
    producer.send(record('after', { partition: 1 }));
    (await broker.nextProduce()).answer();
    await flushed;
    expect(broker.waiting).toBe(0);
  });
});

describe('failure', () => {
  test('a refusal fails the flush with the partition and the reason, and every later send', async () => {
    const producer = client.producer({ lingerMs: 1 });
    await producer.send(record('a'));
    const flushed = producer.flush();
    (await broker.nextProduce()).answer(errorCodes.MESSAGE_TOO_LARGE);
    const refusal = {
      code: 'record-too-large',
      message: "records for 't' partition 0 were not appended: MESSAGE_TOO_LARGE",
    };
    await expect(flushed).rejects.toMatchObject(refusal);
    await expect(producer.send(record('b'))).rejects.toMatchObject(refusal);
    await expect(producer.close()).rejects.toMatchObject(refusal);
  });

  test('what a broken connection left unacknowledged comes again, as the same batches', async () => {
    const producer = await routedProducer({ lingerMs: 1 });
    producer.send(record('a'));
    producer.send(record('b', { partition: 1 }));
    const flushed = producer.flush();
    const first = await broker.nextProduce();
    first.hangUp();
    const again = await broker.nextProduce();
    expect(again.partitions).toEqual(first.partitions);
    expect(again.producers).toEqual(first.producers);
    expect(new Set(again.producers).size).toBe(2);
    again.answer();
    await flushed;
  });

  test('a producer that nobody answers any more fails after its time, and says how long it tried', async () => {
    const producer = await routedProducer({ lingerMs: 1, deliveryTimeoutMs: 100 });
    producer.send(record('a'));
    const flushed = producer.flush();
    (await broker.nextProduce()).hangUp();
    await broker.stop();
    await expect(flushed).rejects.toMatchObject({ code: 'disconnected', message: expect.stringContaining('100 ms') });
  });

  test('without durable acknowledgements a broken connection fails everything that waits, and nothing is sent again', async () => {
    const producer = await routedProducer({ lingerMs: 1, batchBytes: 100, maxBufferedBytes: 100, acks: 1 });
    const room = producer.send(record('a'.repeat(200)));
    const flushed = producer.flush();
    (await broker.nextProduce()).hangUp();
    await expect(flushed).rejects.toMatchObject({ code: 'disconnected', retry: true });
    await expect(room).rejects.toMatchObject({ code: 'disconnected' });
    await expect(producer.send(record('b'))).rejects.toMatchObject({ code: 'disconnected' });
    expect(broker.waiting).toBe(0);
  });

  test('a broker that is stopping is worth another run', async () => {
    const producer = client.producer({ lingerMs: 1 });
    await producer.send(record('a'));
    const flushed = producer.flush();
    (await broker.nextProduce()).answer(errorCodes.KAFKA_STORAGE_ERROR);
    await expect(flushed).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  test('a topic that does not exist is named', async () => {
    const producer = client.producer();
    await expect(producer.send(record('a', { topic: 'missing' }))).rejects.toMatchObject({
      code: 'unknown-topic',
      message: "there is no topic 'missing'",
    });
  });

  test('a partition or a time that cannot be is refused before anything is sent', async () => {
    const producer = await routedProducer({});
    expect(() => producer.send(record('a', { partition: 4 }))).toThrow("partition 4 of 't' does not exist: it has 4");
    const other = await routedProducer({});
    expect(() => other.send(record('a', { timestampMs: 1.5 }))).toThrow('timestampMs 1.5');
  });

  test('a closed producer takes nothing', async () => {
    const producer = await routedProducer({});
    await producer.close();
    await expect(producer.send(record('a'))).rejects.toMatchObject({ code: 'closed' });
  });
});
