import type { SymbolReference } from '@tickfold/history';
import { SizeDistribution } from '@tickfold/history';
import {
  createSimulator,
  enrichedTickSchema,
  type FeedRecord,
  groups,
  headers,
  MARKET_PARTITIONS,
  runSchema,
  topics,
} from '@tickfold/market';
import { connect, type RecordView, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Progress, runEnrichment } from '../src/run-enrichment.ts';

const TICKS = 6_000;

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

function simulatedTicks(count: number): FeedRecord[] {
  const ticks: FeedRecord[] = [];
  for (const chunk of createSimulator().chunks()) {
    ticks.push(...chunk);
    if (ticks.length >= count) break;
  }
  return ticks.slice(0, count);
}

async function produce(ticks: FeedRecord[]): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.ticks, partitionCount: MARKET_PARTITIONS }]);
  const producer = client.producer();
  for (const { kind, symbol, eventTimeMs, line, source, position } of ticks) {
    await producer.send({
      topic: topics.ticks,
      key: symbol,
      value: line,
      timestampMs: eventTimeMs,
      headers: { [headers.kind]: kind, [headers.source]: source, [headers.position]: String(position) },
    });
  }
  await producer.flush();
  await producer.close();
}

/** Runs until `done` says so of its progress, then ends it in an orderly way. */
async function enrichUntil(
  done: (progress: Progress) => boolean,
  references = new Map<string, SymbolReference>(),
): Promise<{ progress: Progress; sessionDates: string[] }> {
  const stop = new AbortController();
  const sessionDates: string[] = [];
  let progress: Progress | undefined;
  const running = await connect({ brokers: [broker.address], clientId: 'enrichment' });
  try {
    await runEnrichment({
      client: running,
      readReferences: async (sessionDate) => {
        sessionDates.push(sessionDate);
        return { references, historyIdentity: 'sim 42' };
      },
      signal: stop.signal,
      onProgress: (reported) => {
        progress = reported;
        if (done(reported)) stop.abort();
      },
    });
  } finally {
    await running.close();
  }
  return { progress: progress!, sessionDates };
}

async function read(topic: string): Promise<{ partition: number; record: RecordView }[]> {
  const records: { partition: number; record: RecordView }[] = [];
  for (const { partition, high } of await client.admin.watermarks(topic)) {
    if (high === 0n) continue;
    for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
      for (const record of chunk.records()) records.push({ partition, record });
      if (chunk.nextOffset >= high) break;
    }
  }
  return records;
}

const sourcesIn = async (topic: string): Promise<string[]> =>
  (await read(topic)).map(({ partition, record }) => `${partition} ${record.header(headers.source)}`);

test('every tick is enriched once and in order, whenever enrichment is ended and started again', async () => {
  await produce(simulatedTicks(TICKS));
  await enrichUntil(({ ticks }) => ticks >= 1_000);
  await enrichUntil(({ ticks }) => ticks >= 3_500);
  const { progress } = await enrichUntil(({ ticks }) => ticks >= TICKS);

  expect(await sourcesIn(topics.enriched)).toEqual(await sourcesIn(topics.ticks));
  expect(progress).toMatchObject({ lag: 0, sessionDate: '2025-10-07' });
  const committed = await client.admin.committedOffsets(groups.enrichment, topics.ticks);
  expect([...committed.values()].reduce((sum, offset) => sum + offset, 0n)).toBe(BigInt(TICKS));
});

test('the volume of the day goes on where it stood before a restart', async () => {
  await produce(simulatedTicks(TICKS));
  await enrichUntil(({ ticks }) => ticks >= 3_000);
  await enrichUntil(({ ticks }) => ticks >= TICKS);

  const volumes = new Map<string, number>();
  for (const { record } of await read(topics.enriched)) {
    const tick = enrichedTickSchema.decode(record.value!, record.header(headers.schema));
    const volume = (volumes.get(tick.symbol) ?? 0) + (tick.kind === 'trade' ? tick.size : 0);
    expect(tick.volumeToday).toBe(volume);
    volumes.set(tick.symbol, volume);
  }
  expect(Math.max(...volumes.values())).toBeGreaterThan(1_000);
});

test('a symbol without history is enriched with nulls and counted', async () => {
  const ticks = simulatedTicks(500);
  const known: SymbolReference = {
    symbol: ticks[0]!.symbol,
    ...{ previousCloseE4: 100_000, averageVolume20: 1_000, sessions: 20 },
    ...{ vwap20E4: 100_000, vwapStdE4: 1_000, vwapSessions: 20, vwapBasis: 'trades' },
    tradeSizes: new SizeDistribution(),
  };
  await produce(ticks);
  const { progress, sessionDates } = await enrichUntil(
    (reported) => reported.ticks >= ticks.length,
    new Map([[known.symbol, known]]),
  );

  const unknown = ticks.filter(({ symbol }) => symbol !== known.symbol);
  expect(sessionDates).toEqual(['2025-10-07']);
  expect(progress).toMatchObject({
    ticksWithoutHistory: unknown.length,
    symbolsWithoutHistory: new Set(unknown.map(({ symbol }) => symbol)).size,
  });
  for (const { record } of await read(topics.enriched)) {
    const tick = enrichedTickSchema.decode(record.value!, record.header(headers.schema));
    expect(tick.previousCloseE4).toBe(tick.symbol === known.symbol ? 100_000 : null);
  }
});

test('a line that is no tick becomes a dead letter with its source and reason, and the next one is enriched', async () => {
  const [good, bad, next] = simulatedTicks(3) as [FeedRecord, FeedRecord, FeedRecord];
  await produce([good, { ...bad, line: bad.line.subarray(0, 20) }, next]);
  let handled = 0;
  await enrichUntil(({ ticks, lag }) => {
    handled = ticks;
    return ticks === 2 && lag === 0;
  });

  expect(handled).toBe(2);
  const deadLetters = await read(topics.marketDeadLetter);
  expect(deadLetters.map(({ record }) => record.header(headers.source))).toEqual([bad.source]);
  expect(deadLetters[0]!.record.header(headers.reason)).toMatch(/20/);
  expect(deadLetters[0]!.record.header(headers.app)).toBe(groups.enrichment);
});

test('each start is recorded with the version of the features and the history that is joined', async () => {
  await produce(simulatedTicks(10));
  await enrichUntil(({ ticks }) => ticks === 10);
  await enrichUntil(({ ticks }) => ticks === 10);
  const runs = (await read(topics.marketRuns)).map(({ record }) =>
    runSchema.decode(record.value!, record.header(headers.schema)),
  );
  expect(runs).toHaveLength(2);
  expect(runs[0]).toMatchObject({
    ...{ app: 'enrichment', code: 'features-1', parameters: '{}', input: topics.ticks, inputId: null },
    ...{ history: 'sim 42', nodeVersion: process.versions.node, tickfoldVersion: expect.stringMatching(/^\d+\.\d+\./) },
  });
});
