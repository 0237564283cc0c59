import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, firstOffsetWhere, type RecordView, type StreamClient } from '../src/index.ts';

let broker: EmbeddedBroker;
let client: StreamClient;
let topicNumber = 0;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());
beforeEach(async () => {
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(() => client.close());

/** A topic with one partition whose records carry these numbers, several to a batch, as the header `input`. */
async function topicWith(inputs: readonly number[]): Promise<string> {
  const topic = `volume.searched-${++topicNumber}`;
  await client.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
  const producer = client.producer({ batchBytes: 500 });
  for (const input of inputs) {
    await producer.send({ topic, key: null, value: null, timestampMs: 0, headers: { input: `${input}` } });
  }
  await producer.close();
  return topic;
}

const isFrom = (input: number) => (record: RecordView) => Number(record.header('input')) >= input;

test('finds the first record from which on the question holds, as looking at one after the other would', async () => {
  const rising = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 60 }).map((steps) => {
    let input = 0;
    return steps.map((step) => (input += step));
  });
  await fc.assert(
    fc.asyncProperty(rising, fc.nat(310), async (inputs, wanted) => {
      const topic = await topicWith(inputs);
      const index = inputs.findIndex((input) => input >= wanted);
      const expected = BigInt(index < 0 ? inputs.length : index);
      expect(await firstOffsetWhere(client, topic, 0, isFrom(wanted))).toBe(expected);
    }),
    { numRuns: 40 },
  );
});

test('asks about few of many records', async () => {
  const topic = await topicWith(Array.from({ length: 5000 }, (_, i) => i));
  let asked = 0;
  const found = await firstOffsetWhere(client, topic, 0, (record) => {
    asked++;
    return isFrom(1234)(record);
  });
  expect(found).toBe(1234n);
  expect(asked).toBeLessThanOrEqual(13);
});

test('of a partition that does not exist is an error', async () => {
  const topic = await topicWith([]);
  await expect(firstOffsetWhere(client, topic, 7, () => true)).rejects.toMatchObject({ code: 'unknown-topic' });
});
