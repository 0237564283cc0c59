import {
  type EnrichedTick,
  enrichedTickSchema,
  groups,
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  runSchema,
  topics,
} from '@tickfold/market';
import { createModelProcessor, findModel, type Model, type ModelOutput } from '@tickfold/models';
import { connect, type RecordView, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { idleReason, type Progress, runModel } from '../src/run-model.ts';
import { enrichedSession } from './enriched-session.ts';

/** Few symbols, so that each trades often in few ticks. */
const small = { symbolCount: 4, startAt: '09:30', peakTicksPerSecond: 200 };
const model = findModel('reversion-1').create({ warmUpMinutes: 1 });

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

async function produce(ticks: Iterable<EnrichedTick>, limit: number): Promise<number> {
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: MARKET_PARTITIONS }]);
  const producer = client.producer();
  let count = 0;
  for (const tick of ticks) {
    if (count === limit) break;
    await producer.send({
      topic: topics.enriched,
      key: tick.symbol,
      value: enrichedTickSchema.encode(tick),
      timestampMs: tick.eventTimeMs,
      headers: { [headers.kind]: tick.kind, [headers.source]: tick.source, [headers.schema]: enrichedTickSchema.id },
    });
    count++;
  }
  await producer.flush();
  await producer.close();
  return count;
}

const ticksSeen = ({ seen }: Progress): number => seen.trade + seen.quote + seen.offer;

/** Runs until `done` says so of its progress, then ends it in an orderly way. */
async function runUntil(done: (progress: Progress) => boolean): Promise<Progress> {
  const stop = new AbortController();
  const running = await connect({ brokers: [broker.address], clientId: 'analytics' });
  let last: Progress | undefined;
  try {
    await runModel({
      client: running,
      model,
      signal: stop.signal,
      onProgress: (progress) => {
        last = progress;
        if (done(progress)) stop.abort();
      },
    });
  } finally {
    await running.close();
  }
  return last!;
}

async function read(topic: string, partition: number, high: bigint): Promise<RecordView[]> {
  const records: RecordView[] = [];
  if (high === 0n) return records;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
    records.push(...chunk.records());
    if (chunk.nextOffset >= high) break;
  }
  return records;
}

/** What `equal` is about: key, value, headers and event time of a partition's records, in their order. */
async function contentOf(topic: string): Promise<unknown[]> {
  const partitions = await client.admin.watermarks(topic);
  return Promise.all(
    partitions.map(async ({ partition, high }) =>
      (await read(topic, partition, high)).map((record) => ({
        key: record.key === null ? null : Buffer.from(record.key).toString(),
        value: Buffer.from(record.value!).toString('hex'),
        timestampMs: record.timestampMs,
        headers: Object.fromEntries(record.headers().map(({ key, value }) => [key, Buffer.from(value).toString()])),
      })),
    ),
  );
}

/** The same content from a replay: the input read once, without a broker in between. */
async function replayed(replay: Model, topic: string): Promise<unknown[]> {
  const processor = createModelProcessor(replay);
  const partitions = await client.admin.watermarks(topics.enriched);
  return Promise.all(
    partitions.map(async ({ partition, high }) => {
      const state = processor.createState(partition);
      const outputs: unknown[] = [];
      for (const record of await read(topics.enriched, partition, high)) {
        processor.handle(state, record, (output: ModelOutput) => {
          if (output.topic !== topic) return;
          outputs.push({
            key: output.key,
            value: Buffer.from(output.value).toString('hex'),
            timestampMs: output.timestampMs,
            headers: { ...output.headers, [headers.input]: String(record.offset) },
          });
        });
      }
      return outputs;
    }),
  );
}

test('a model that is ended and started again writes what a replay of its input writes', async () => {
  const ticks = await produce(await enrichedSession(small), 12_000);
  await runUntil((progress) => ticksSeen(progress) >= ticks / 4);
  await runUntil((progress) => ticksSeen(progress) >= ticks / 2);
  const { decisions, fills, lag } = await runUntil((progress) => ticksSeen(progress) >= ticks);

  expect(decisions).toBeGreaterThan(1_000);
  expect(fills).toBeGreaterThan(10);
  expect(lag).toBe(0);
  const volume = modelTopics(model.name);
  for (const topic of [volume.decisions, volume.fills, volume.equity]) {
    expect(await contentOf(topic)).toEqual(await replayed(model, topic));
  }
  const committed = await client.admin.committedOffsets(groups.analytics(model.name), topics.enriched);
  expect([...committed.values()].reduce((sum, offset) => sum + offset, 0n)).toBe(BigInt(ticks));
}, 60_000);

test('on a feed of offers the model idles and says so', async () => {
  const offers = [1, 2, 3].map((n) => ({ ...blankOffer, source: `feed:${n}` }));
  await produce(offers, offers.length);
  const progress = await runUntil((reported) => ticksSeen(reported) === offers.length);
  expect(idleReason(progress)).toBe('offers only: no trades or quotes on this feed');
  expect(progress).toMatchObject({ decisions: 0, fills: 0 });
});

const blankOffer: EnrichedTick = {
  ...{ kind: 'offer', symbol: 'BAC', eventTimeMs: Date.UTC(2013, 9, 8, 14), source: '', exchange: 'D' },
  ...{ priceE4: 100_000, size: 100, side: 'none', bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 },
  ...{ volumeToday: 0, previousCloseE4: null, changeBps: null, averageVolume20: null, relativeVolume: null },
  ...{ vwap20E4: null, vwapDeviation: null, sizePercentile: null },
};

test('each start is recorded in the volume with the code, all parameters, and the versions that run it', async () => {
  await produce(await enrichedSession(small), 10);
  await runUntil((progress) => ticksSeen(progress) >= 10);
  await runUntil((progress) => ticksSeen(progress) >= 10);
  const { runs } = modelTopics(model.name);
  const [watermark] = await client.admin.watermarks(runs);
  const decoded = (await read(runs, 0, watermark!.high)).map((record) =>
    runSchema.decode(record.value!, record.header(headers.schema)),
  );
  expect(decoded).toHaveLength(2);
  const { parameters, ...run } = decoded[1]!;
  expect(JSON.parse(parameters)).toEqual(model.parameters);
  expect(run).toMatchObject({
    ...{ app: 'analytics', code: 'reversion-1', input: topics.enriched, inputId: null, history: null },
    ...{ nodeVersion: process.versions.node, tickfoldVersion: expect.stringMatching(/^\d+\.\d+\./) },
  });
  expect(run.startedAtMs).toBeGreaterThanOrEqual(decoded[0]!.startedAtMs);
});
