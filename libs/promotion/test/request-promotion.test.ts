import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  headers,
  type Promotion,
  type PromotionCommand,
  promotionCommandSchema,
  promotionSchema,
  topics,
} from '@tickfold/market';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PromotionError, readPromotions, requestPromotion } from '../src/index.ts';

let broker: EmbeddedBroker;
let client: StreamClient;

beforeEach(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(async () => {
  await client.close();
  await broker.stop();
});

const initial: Promotion = {
  ...{ commandId: null, action: 'initial', champion: 'a', previous: null, by: 'decisions' },
  ...{ askedAtMs: 1, atMs: 1, fromInput: [0, 0, 0, 0], reason: null },
};

async function write(...promotions: Promotion[]): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotions, partitionCount: 1 }]);
  const producer = client.producer();
  for (const promotion of promotions) {
    await producer.send({
      ...{ topic: topics.promotions, partition: 0, key: null, timestampMs: promotion.atMs },
      value: promotionSchema.encode(promotion),
      headers: { [headers.schema]: promotionSchema.id },
    });
  }
  await producer.close();
}

/** Stands in for apps/decisions: hands each command on until `enough` of them came. */
async function commands(enough: number, onCommand: (command: PromotionCommand) => Promise<void>): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotionCommands, partitionCount: 1 }]);
  let count = 0;
  for await (const chunk of client.consumer({ assignments: [{ topic: topics.promotionCommands, partition: 0 }] })) {
    for (const record of chunk.records()) {
      count++;
      await onCommand(promotionCommandSchema.decode(record.value!, record.header(headers.schema)));
    }
    if (count >= enough) return;
  }
}

test('the answer is the record of the audit stream that carries the id of the command', async () => {
  await write(initial);
  const answering = commands(1, async ({ id, by, atMs, action, model }) => {
    const other: Promotion = { ...initial, commandId: 'of somebody else', action: 'refused', reason: 'no' };
    const answer: Promotion = {
      ...initial,
      commandId: id,
      action,
      champion: model!,
      previous: 'a',
      by,
      askedAtMs: atMs,
    };
    await write(other, { ...answer, fromInput: [1, 2, 3, 4] });
  });
  const answer = await requestPromotion(client, { action: 'promote', model: 'b', by: 'ana (command line)' });
  await answering;

  expect(answer).toMatchObject({ action: 'promote', champion: 'b', by: 'ana (command line)', fromInput: [1, 2, 3, 4] });
  expect((await readPromotions(client)).map(({ champion }) => champion)).toEqual(['a', 'a', 'b']);
});

test('a refusal is returned as an answer', async () => {
  await write(initial);
  const answering = commands(1, ({ id }) =>
    write({ ...initial, commandId: id, action: 'refused', fromInput: [], reason: 'a is champion already.' }),
  );
  const answer = await requestPromotion(client, { action: 'promote', model: 'a', by: 'test' });
  await answering;
  expect(answer).toMatchObject({ action: 'refused', champion: 'a', reason: 'a is champion already.' });
});

test('two who ask at once each get their own answer', async () => {
  await write(initial);
  const asked: PromotionCommand[] = [];
  const answering = commands(2, async (command) => {
    asked.push(command);
    if (asked.length < 2) return;
    for (const { id, model } of asked.toReversed()) {
      await write({ ...initial, commandId: id, action: 'promote', champion: model!, previous: 'a' });
    }
  });
  const answers = await Promise.all(
    ['b', 'c'].map((model) => requestPromotion(client, { action: 'promote', model, by: 'test' })),
  );
  await answering;
  expect(answers.map(({ champion }) => champion)).toEqual(['b', 'c']);
});

test('a command that nobody answers is an error that names it, and expires before that', async () => {
  await write(initial);
  const commanded: PromotionCommand[] = [];
  const reading = commands(1, async (command) => {
    commanded.push(command);
  });
  const failure = await requestPromotion(client, { action: 'rollback', by: 'test', timeoutMs: 200 }).catch(
    (error) => error,
  );
  await reading;
  expect(failure).toBeInstanceOf(PromotionError);
  expect(failure.message).toContain('"roll back" within 0.2 s');
  expect(failure.mend).toContain('decisions');
  expect(commanded[0]!.expiresAtMs - commanded[0]!.atMs).toBe(100);
});

test('nothing is asked where there was never a champion', async () => {
  const failure = await requestPromotion(client, { action: 'promote', model: 'b', by: 'test' }).catch((error) => error);
  expect(failure).toBeInstanceOf(PromotionError);
  expect(failure.message).toContain('promote b: there is no champion yet');
  expect(await client.admin.topics()).toEqual([]);
  expect(await readPromotions(client)).toEqual([]);
});

test('who stops waiting is told that the wish may still come true', async () => {
  await write(initial);
  const stop = new AbortController();
  const asked = commands(1, async () => stop.abort());
  const failure = await requestPromotion(client, {
    ...{ action: 'promote', model: 'b', by: 'test', signal: stop.signal },
  }).catch((error) => error);
  await asked;
  expect(failure).toBeInstanceOf(PromotionError);
  expect(failure.message).toContain('may still be carried out');
});

test('a broker that goes away while the answer is awaited is an error in words of the wish', async () => {
  await write(initial);
  const asked = commands(1, async () => {});
  const failing = requestPromotion(client, { action: 'promote', model: 'b', by: 'test' }).catch((error) => error);
  await asked;
  await broker.broker.close();
  const failure = await failing;
  expect(failure).toBeInstanceOf(PromotionError);
  expect(failure.message).toContain('"promote b"');
});

test('a record that is no promotion counts for nobody', async () => {
  await write(initial);
  const producer = client.producer();
  await producer.send({
    ...{ topic: topics.promotions, partition: 0, key: null, timestampMs: 1 },
    value: Buffer.from('b, please'),
  });
  await producer.close();
  await write({ ...initial, action: 'promote', champion: 'b', previous: 'a' });
  expect((await readPromotions(client)).map(({ champion }) => champion)).toEqual(['a', 'b']);
});

test('the audit stream is read to its end where its last records are damaged on the disk', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-audit-'));
  const engine = { segmentBytes: 64 * 1024 };
  const withBroker = async (work: () => Promise<void>) => {
    await client.close();
    await broker.stop();
    broker = await startEmbeddedBroker({ dataDir, engine });
    client = await connect({ brokers: [broker.address], clientId: 'test' });
    await work();
  };
  try {
    await withBroker(async () => {
      await write(initial);
      await write({ ...initial, reason: 'damaged' });
      // The newest segment is cut where it is damaged: the audit stream has to lie in one before it.
      const topic = 'live.other';
      await client.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
      const producer = client.producer();
      for (const value of [Buffer.alloc(engine.segmentBytes), Buffer.from('next')]) {
        await producer.send({ topic, partition: 0, key: null, timestampMs: 1, value });
        await producer.flush();
      }
      await producer.close();
    });
    await broker.stop();
    const paths = await readdir(dataDir, { recursive: true });
    for (const path of paths.filter((each) => each.endsWith('.segment')).map((each) => join(dataDir, each))) {
      const bytes = await readFile(path);
      const at = bytes.indexOf('damaged');
      if (at < 0) continue;
      bytes[at]! ^= 1;
      await writeFile(path, bytes);
    }
    await withBroker(async () => {
      expect(await client.admin.watermarks(topics.promotions)).toMatchObject([{ logStart: 0n, high: 2n }]);
      expect(await client.lastRecord(topics.promotions, 0)).toMatchObject({ offset: 0n });
      expect(await readPromotions(client)).toEqual([initial]);
    });
  } finally {
    await client.close();
    await broker.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
