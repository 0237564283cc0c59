import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHistory, type History, historyPath, openHistory, simulatedHistory } from '@tickfold/history';
import {
  type Decision,
  decisionSchema,
  type EnrichedTick,
  enrichedTickSchema,
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  newYorkToUtcMs,
  topics,
} from '@tickfold/market';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPreparedQuery } from '../src/index.ts';

const MODEL = 'reversion-1';
const SESSION = '2025-12-02';
const NOON_MS = newYorkToUtcMs(SESSION, 12 * 3_600_000);
const HISTORY = { seed: 5, date: SESSION, symbolCount: 3, peakTicksPerSecond: 20 };

describe('decisions in context', () => {
  let folder: string;
  let path: string;
  let broker: EmbeddedBroker;
  let client: StreamClient;
  let symbol: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-query-'));
    path = historyPath(folder);
    await buildHistory({ path, source: simulatedHistory(HISTORY) });
    symbol = await withHistory((history) => history.symbols().then(([first]) => first!));
    broker = await startEmbeddedBroker();
    client = await connect({ brokers: [broker.address], clientId: 'test' });
  });
  afterAll(async () => {
    await client.close();
    await broker.stop();
    rmSync(folder, { recursive: true });
  });

  const query = (more: { model?: string; name?: string; historyPath?: string; newestPerPartition?: number } = {}) =>
    runPreparedQuery({ name: 'decisions-in-context', model: MODEL, client, historyPath: path, ...more });

  test('is refused with the mend while there is nothing to ask', async () => {
    await expect(query({ name: 'nonsense' })).rejects.toMatchObject({
      message: 'There is no prepared query nonsense.',
      mend: expect.stringContaining('decisions-in-context'),
    });
    await expect(query()).rejects.toMatchObject({ message: `${MODEL} has decided nothing here.` });
    await client.admin.ensureTopics(
      [topics.enriched, modelTopics(MODEL).decisions].map((name) => ({ name, partitionCount: MARKET_PARTITIONS })),
    );
    await expect(query()).rejects.toMatchObject({ message: 'No trade has been enriched yet.' });
    await expect(query({ historyPath: join(folder, 'none.duckdb') })).rejects.toMatchObject({
      message: expect.stringContaining('none.duckdb'),
      mend: expect.stringContaining('DATA_DIR'),
    });
    const damaged = join(folder, 'damaged.duckdb');
    writeFileSync(damaged, 'this is no database');
    await expect(query({ historyPath: damaged })).rejects.toMatchObject({ name: 'QueryError' });
  });

  test('joins live trades, the version’s decisions and history, symbol by symbol', async () => {
    await sendTicks([
      { kind: 'trade', priceE4: 100_0000, size: 200, eventTimeMs: NOON_MS - 60_000 },
      { kind: 'quote', priceE4: 999_0000, size: 999, eventTimeMs: NOON_MS - 30_000 },
      { kind: 'trade', priceE4: 101_5000, size: 300, eventTimeMs: NOON_MS },
    ]);
    await sendDecisions(['buy', 'hold', 'sell', 'buy']);
    const { columns, rows, read } = await query();
    expect(read).toEqual({ [topics.enriched]: 3, [modelTopics(MODEL).decisions]: 4 });
    expect(rows).toHaveLength(1);
    const row = Object.fromEntries(columns.map(({ name }, index) => [name, rows[0]![index]]));
    expect(row).toMatchObject({ symbol, last_price: 101.5, trades: 2, volume: 500, judged: 4, buys: 2, sells: 1 });

    const past = await pastByPlainLoops();
    expect(row.change_percent).toBeCloseTo(100 * (101.5 / past.close - 1), 2);
    expect(row.from_20_session_price_percent).toBeCloseTo(100 * (101.5 / past.price - 1), 2);
    expect(row.times_usual_volume).toBeCloseTo(500 / past.volumeByNoon, 2);
  });

  test('reads no more than the newest records of each partition', async () => {
    const { read } = await query({ newestPerPartition: 1 });
    expect(read).toEqual({ [topics.enriched]: 1, [modelTopics(MODEL).decisions]: 1 });
  });

  async function withHistory<T>(ask: (history: History) => Promise<T>): Promise<T> {
    const history = await openHistory(path);
    try {
      return await ask(history);
    } finally {
      history.close();
    }
  }

  /** The same figures of the past, by another way than the statement's. */
  function pastByPlainLoops(): Promise<{ close: number; price: number; volumeByNoon: number }> {
    return withHistory(async (history) => {
      const days = await history.dailyBars(symbol, 20);
      let value = 0;
      let volume = 0;
      const byNoon: number[] = [];
      for (const day of days) {
        value += ((day.highE4 + day.lowE4 + day.closeE4) / 3) * day.volume;
        volume += day.volume;
        const midnightMs = newYorkToUtcMs(day.date, 0);
        const bars = await history.minuteBars(symbol, midnightMs, midnightMs + 12 * 3_600_000 + 1);
        byNoon.push(bars.reduce((sum, bar) => sum + bar.volume, 0));
      }
      const mean = byNoon.reduce((sum, each) => sum + each, 0) / byNoon.length;
      return { close: days.at(-1)!.closeE4 / 10_000, price: value / volume / 10_000, volumeByNoon: mean };
    });
  }

  async function sendTicks(ticks: Pick<EnrichedTick, 'kind' | 'priceE4' | 'size' | 'eventTimeMs'>[]): Promise<void> {
    const producer = client.producer();
    for (const [index, tick] of ticks.entries()) {
      const value = enrichedTickSchema.encode({
        ...{ symbol, source: `test:${index}`, exchange: 'N', side: 'none', volumeToday: 0 },
        ...{ bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 },
        ...{ previousCloseE4: null, changeBps: null, averageVolume20: null, relativeVolume: null },
        ...{ vwap20E4: null, vwapDeviation: null, sizePercentile: null },
        ...tick,
      });
      await producer.send({
        topic: topics.enriched,
        key: symbol,
        value,
        timestampMs: tick.eventTimeMs,
        headers: { [headers.kind]: tick.kind, [headers.schema]: enrichedTickSchema.id },
      });
    }
    await producer.close();
  }

  async function sendDecisions(actions: Decision['action'][]): Promise<void> {
    const producer = client.producer();
    for (const action of actions) {
      const value = decisionSchema.encode({
        ...{ symbol, eventTimeMs: NOON_MS, priceE4: 100_0000, size: 1, action, reason: 'within_band' },
        ...{ previousTarget: 0, target: 0, signal: null, threshold: null, meanE4: null, deviationE4: null },
        ...{ changeBps: null, relativeVolume: null, vwapDeviation: null, sizePercentile: null },
        parametersVersion: 'defaults',
      });
      await producer.send({
        topic: modelTopics(MODEL).decisions,
        key: symbol,
        value,
        timestampMs: NOON_MS,
        headers: { [headers.schema]: decisionSchema.id },
      });
    }
    await producer.close();
  }
});
