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
import { connect, type OutgoingRecord, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type QueryOptions, type QueryResult, runPreparedQuery } from '../src/index.ts';

const MODEL = 'reversion-1';
const SESSION = '2025-12-02';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOON_MS = newYorkToUtcMs(SESSION, DAY_MS / 2);
const HISTORY = { seed: 5, date: SESSION, symbolCount: 3, peakTicksPerSecond: 20 };
const { decisions: DECISIONS } = modelTopics(MODEL);

let folder: string;
let path: string;
let broker: EmbeddedBroker;
let client: StreamClient;
let symbol: string;

/** One partition holds all of them: offsets are their places. */
const ticks: Pick<EnrichedTick, 'kind' | 'priceE4' | 'size' | 'volumeToday' | 'eventTimeMs'>[] = [
  { kind: 'trade', priceE4: 55_0000, size: 900, volumeToday: 900, eventTimeMs: NOON_MS - DAY_MS },
  { kind: 'trade', priceE4: 100_0000, size: 200, volumeToday: 200, eventTimeMs: NOON_MS - 6 * MINUTE_MS },
  { kind: 'trade', priceE4: 102_0000, size: 100, volumeToday: 300, eventTimeMs: NOON_MS - 5 * MINUTE_MS },
  { kind: 'quote', priceE4: 999_0000, size: 999, volumeToday: 300, eventTimeMs: NOON_MS - 4 * MINUTE_MS },
  { kind: 'trade', priceE4: 101_0000, size: 50, volumeToday: 350, eventTimeMs: NOON_MS - MINUTE_MS },
  { kind: 'trade', priceE4: 99_0000, size: 50, volumeToday: 400, eventTimeMs: NOON_MS },
  { kind: 'trade', priceE4: 101_5000, size: 100, volumeToday: 500, eventTimeMs: NOON_MS },
];
/** By the tick that they are about. */
const decisions: Pick<Decision, 'action' | 'reason'>[] = [
  { action: 'buy', reason: 'below_mean' },
  { action: 'buy', reason: 'below_mean' },
  { action: 'sell', reason: 'above_mean' },
  { action: 'hold', reason: 'within_band' },
  { action: 'sell', reason: 'reverted' },
  { action: 'hold', reason: 'within_band' },
  { action: 'buy', reason: 'reverted' },
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tickfold-query-'));
  path = historyPath(folder);
  await buildHistory({ path, source: simulatedHistory(HISTORY) });
  symbol = await withHistory((history) => history.symbols().then(([first]) => first!));
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
}, 120_000);

afterAll(async () => {
  await client.close();
  await broker.stop();
  rmSync(folder, { recursive: true });
});

const query = (more: Partial<QueryOptions> = {}) =>
  runPreparedQuery({ name: 'decisions-in-context', model: MODEL, client, historyPath: path, ...more });

test('a query is refused with the mend while there is nothing to ask', async () => {
  await expect(query({ name: 'nonsense' })).rejects.toMatchObject({
    message: 'There is no prepared query nonsense.',
    mend: expect.stringContaining('decisions-in-context, five-minutes-later'),
  });
  await expect(query()).rejects.toMatchObject({ message: 'No tick has been enriched yet.' });
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: MARKET_PARTITIONS }]);
  await expect(query()).rejects.toMatchObject({ message: `${MODEL} has decided nothing here.` });
  await client.admin.ensureTopics([{ name: DECISIONS, partitionCount: MARKET_PARTITIONS }]);
  await expect(query()).rejects.toMatchObject({ message: 'No trade has been enriched yet.' });
  await expect(query({ historyPath: join(folder, 'none.duckdb') })).rejects.toMatchObject({
    message: expect.stringContaining('none.duckdb'),
    mend: expect.stringContaining('DATA_DIR'),
  });
  const damaged = join(folder, 'damaged.duckdb');
  writeFileSync(damaged, 'this is no database');
  await expect(query({ historyPath: damaged })).rejects.toMatchObject({ name: 'QueryError' });
});

test("live trades of this session, the version's decisions and history are joined, symbol by symbol", async () => {
  await sendAll();
  const { rows, read, ...result } = await query();
  expect(read).toMatchObject({ [topics.enriched]: ticks.length, [DECISIONS]: decisions.length });
  expect(read['history.trades']).toBeGreaterThan(1_000);
  expect(rows).toHaveLength(1);
  const row = asObject({ rows, ...result });
  expect(row).toMatchObject({ symbol, last_price: 101.5, trades: 5, volume: 500, judged: 6, buys: 2, sells: 2 });

  const past = await pastByPlainLoops();
  expect(row.change_percent).toBeCloseTo(100 * (101.5 / past.close - 1), 2);
  expect(row.from_vwap20_percent).toBeCloseTo(100 * (101.5 / past.vwap - 1), 2);
  expect(row.times_usual_volume).toBeCloseTo(500 / past.volumeByNoon, 2);
});

test('a buy or sell is held against the first trade five minutes later, and the usual range of a day', async () => {
  const { rows, columns } = await query({ name: 'five-minutes-later' });
  const { rangeBps } = await pastByPlainLoops();
  const bought = 10_000 * (101 / 100 - 1);
  const sold = -10_000 * (99 / 102 - 1);
  const expected = [
    ['buy', 'below_mean', bought],
    ['sell', 'above_mean', sold],
  ] as const;
  expect(rows).toHaveLength(expected.length);
  for (const [index, [action, reason, rightWayBps]] of expected.entries()) {
    const row = asObject({ columns, rows: [rows[index]!] });
    expect(row).toMatchObject({ action, reason, decisions: 1, symbols: 1, right_percent: 100 });
    expect(row.right_way_bps).toBeCloseTo(rightWayBps, 2);
    expect(row.percent_of_usual_range).toBeCloseTo((100 * rightWayBps) / rangeBps, 2);
  }
});

test('only the newest ticks are read, and what was decided about them; volume and last price stay whole', async () => {
  const result = await query({ limits: { newestPerPartition: 3 } });
  expect(result.read).toMatchObject({
    ...{ [topics.enriched]: 3, [DECISIONS]: 3, [`${topics.enriched} left out, being older`]: ticks.length - 3 },
  });
  expect(asObject(result)).toMatchObject({ last_price: 101.5, volume: 500, trades: 3, judged: 3, buys: 1, sells: 1 });
});

test('progress grows up to all that is read', async () => {
  const steps: { done: number; total: number }[] = [];
  await query({ onProgress: (progress) => steps.push(progress) });
  expect(steps.at(-1)).toEqual({ done: ticks.length + decisions.length, total: ticks.length + decisions.length });
});

test('a query that is not wanted any more ends with the reason', async () => {
  const stop = new AbortController();
  const asked = query({ signal: stop.signal, onProgress: () => stop.abort(new Error('not wanted')) });
  await expect(asked).rejects.toThrow('not wanted');
});

test('what the model decides while it is asked, about ticks later than those that are read, is left out', async () => {
  const producer = client.producer();
  for (const input of [ticks.length, ticks.length + 1]) await producer.send(decisionAbout(ticks.at(-1)!, input));
  await producer.close();
  const result = await query();
  expect(result.read).toMatchObject({ [topics.enriched]: ticks.length, [DECISIONS]: decisions.length });
  expect(asObject(result)).toMatchObject({ trades: 5, judged: 6, buys: 2 });
});

function asObject({ columns, rows }: Pick<QueryResult, 'columns' | 'rows'>): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ name }, index) => [name, rows[0]![index]]));
}

async function withHistory<T>(ask: (history: History) => Promise<T>): Promise<T> {
  const history = await openHistory(path);
  try {
    return await ask(history);
  } finally {
    history.close();
  }
}

/** The same figures of the past, by another way than the statement's. */
function pastByPlainLoops(): Promise<{ close: number; vwap: number; volumeByNoon: number; rangeBps: number }> {
  return withHistory(async (history) => {
    const days = await history.dailyBars(symbol, 20);
    let value = 0;
    let volume = 0;
    let volumeByNoon = 0;
    let rangeBps = 0;
    for (const day of days) {
      value += day.vwapE4! * day.volume;
      volume += day.volume;
      rangeBps += (10_000 * (day.highE4 - day.lowE4)) / day.closeE4;
      const noonMs = newYorkToUtcMs(day.date, DAY_MS / 2);
      const trades = await history.rows(
        'SELECT size::DOUBLE AS size FROM trades WHERE symbol = $symbol AND session_date = $date::DATE AND epoch_ms(event_time) <= $noon::BIGINT',
        { symbol, date: day.date, noon: noonMs },
      );
      volumeByNoon += trades.reduce((sum, { size }) => sum + Number(size), 0);
    }
    return {
      close: days.at(-1)!.closeE4 / 10_000,
      vwap: value / volume / 10_000,
      volumeByNoon: volumeByNoon / days.length,
      rangeBps: rangeBps / days.length,
    };
  });
}

async function sendAll(): Promise<void> {
  const producer = client.producer();
  for (const [index, tick] of ticks.entries()) {
    await producer.send({
      ...{ topic: topics.enriched, key: symbol, timestampMs: tick.eventTimeMs },
      headers: { [headers.kind]: tick.kind, [headers.schema]: enrichedTickSchema.id },
      value: enrichedTickSchema.encode({
        ...{ symbol, source: `test:${index}`, exchange: 'N', side: 'none' },
        ...{ bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 },
        ...{ previousCloseE4: null, changeBps: null, averageVolume20: null, relativeVolume: null },
        ...{ vwap20E4: null, vwapDeviation: null, sizePercentile: null },
        ...tick,
      }),
    });
  }
  for (const [index, decision] of decisions.entries()) {
    await producer.send(decisionAbout(ticks[index]!, index, decision));
  }
  await producer.close();
}

function decisionAbout(
  { eventTimeMs, priceE4, size }: (typeof ticks)[number],
  input: number,
  decided: (typeof decisions)[number] = { action: 'buy', reason: 'below_mean' },
): OutgoingRecord {
  return {
    ...{ topic: DECISIONS, key: symbol, timestampMs: eventTimeMs },
    headers: { [headers.input]: String(input), [headers.schema]: decisionSchema.id },
    value: decisionSchema.encode({
      ...{ symbol, eventTimeMs, priceE4, size, ...decided, parametersVersion: 'defaults' },
      ...{ previousTarget: 0, target: 0, signal: null, threshold: null, meanE4: null, deviationE4: null },
      ...{ changeBps: null, relativeVolume: null, vwapDeviation: null, sizePercentile: null },
    }),
  };
}
