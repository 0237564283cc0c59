import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createEarlierSessions, newYorkClock, sessionOf, type Trade } from '@tickfold/market';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BuildOutcome,
  buildHistory,
  type History,
  historyPath,
  loadReference,
  openHistory,
  type SymbolReference,
  simulatedHistory,
} from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SMALL = { seed: 5, date: '2025-12-01', symbolCount: 4, peakTicksPerSecond: 60 }; // with a half-day before it
const SESSION = SMALL.date;

describe('the history of a simulated session', () => {
  let folder: string;
  let path: string;
  let outcome: BuildOutcome;
  let history: History;
  let references: Map<string, SymbolReference>;
  let trades: Trade[];
  const progress: number[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-history-'));
    path = historyPath(folder);
    outcome = await buildHistory({ path, source: simulatedHistory(SMALL), onProgress: (part) => progress.push(part) });
    history = await openHistory(path);
    references = await loadReference(history, SESSION);
    const past = createEarlierSessions(SMALL);
    trades = past.dates.flatMap((date) => Array.from(past.trades(date), copyOf));
  });

  afterAll(() => {
    history.close();
    rmSync(folder, { recursive: true });
  });

  test('is called synthetic and says what it is for', () => {
    expect(history.meta).toMatchObject({
      origin: 'synthetic',
      sessionDate: SESSION,
      sessions: 20,
      trades: trades.length,
      dailyBars: 80,
      standIns: [],
    });
    expect(history.meta.description).toContain('seed 5, 4 symbols');
    expect(history.meta.createdBy).toMatch(/^tickfold \d+\.\d+\.\d+$/);
  });

  test('reports progress that only grows and ends at 1', () => {
    expect(progress.length).toBeGreaterThan(10);
    expect([...progress].sort((left, right) => left - right)).toEqual(progress);
    expect(progress.at(-1)).toBe(1);
  });

  test('holds every trade of the earlier sessions, to the last digit', async () => {
    const rows = await history.rows(`
      SELECT symbol, epoch_ms(event_time)::DOUBLE AS "eventTimeMs", (price * 10000)::DOUBLE AS "priceE4",
             size::DOUBLE AS size, exchange, condition
      FROM trades ORDER BY session_date, symbol, rowid`);
    const expected = trades.map(({ kind, sequence, ...trade }) => trade).sort(bySessionAndSymbol);
    expect(rows).toEqual(expected);
  });

  test('has minute bars that follow from the trades', async () => {
    const [symbol] = createEarlierSessions(SMALL).symbols.map((each) => each.symbol);
    const bars = await history.minuteBars(symbol!, 0, Date.parse(SESSION));
    const minutes = groupBy(
      trades.filter((trade) => trade.symbol === symbol),
      ({ eventTimeMs }) => Math.floor(eventTimeMs / 60_000) * 60_000,
    );
    expect(bars).toEqual(
      [...minutes].map(([minuteMs, list]) => ({ minuteMs, ...barOf(list), vwapE4: expect.closeTo(vwapOf(list), 4) })),
    );
  });

  test('has daily bars that follow from the trades of the regular session', async () => {
    for (const { symbol } of createEarlierSessions(SMALL).symbols) {
      const days = groupBy(
        trades.filter((trade) => trade.symbol === symbol && sessionOf(trade.eventTimeMs) === 'regular'),
        ({ eventTimeMs }) => newYorkClock(eventTimeMs).date,
      );
      const expected = [...days].map(([date, list]) => ({
        date,
        basis: 'trades',
        ...barOf(list),
        vwapE4: expect.closeTo(vwapOf(list), 4),
      }));
      expect(await history.dailyBars(symbol, 100)).toEqual(expected);
      expect(await history.dailyBars(symbol, 3)).toEqual(expected.slice(-3));
    }
  });

  test('gives each symbol previous close, mean volume, VWAP and deviation as plain arithmetic does', () => {
    expect(references.size).toBe(4);
    for (const [symbol, reference] of references) {
      const own = trades.filter((trade) => trade.symbol === symbol);
      const regular = own.filter(({ eventTimeMs }) => sessionOf(eventTimeMs) === 'regular');
      const vwapE4 = vwapOf(own);
      const volume = sum(own.map(({ size }) => size));
      const variance = sum(own.map(({ priceE4, size }) => size * (priceE4 - vwapE4) ** 2)) / volume;
      expect(reference.previousCloseE4).toBe(regular.at(-1)!.priceE4);
      expect(reference.averageVolume20).toBeCloseTo(sum(regular.map(({ size }) => size)) / 20, 6);
      expect(reference.vwap20E4).toBeCloseTo(vwapE4, 4);
      expect(reference.vwapStdE4).toBeCloseTo(Math.sqrt(variance), 2);
      expect(reference).toMatchObject({ sessions: 20, vwapSessions: 20, vwapBasis: 'trades' });
    }
  });

  test('ranks a size among the trades of its half-hour, counting equals', () => {
    for (const [symbol, { tradeSizes }] of references) {
      for (const msOfDay of [9.5, 12.9, 15.5].map((hour) => hour * 3_600_000)) {
        const halfHour = Math.floor(msOfDay / 1_800_000);
        const peers = trades.filter(
          (trade) =>
            trade.symbol === symbol && Math.floor(newYorkClock(trade.eventTimeMs).msOfDay / 1_800_000) === halfHour,
        );
        for (const size of [1, 50, 100, 300, 1e9]) {
          const notLarger = peers.filter((trade) => trade.size <= size).length;
          expect(tradeSizes.percentile(size, msOfDay)).toBeCloseTo((100 * notLarger) / peers.length, 9);
        }
      }
    }
  });

  test('looks at nothing on or after the date it is asked for, even if it holds more', async () => {
    const earlier = await loadReference(history, '2025-11-17');
    const [symbol, reference] = [...earlier][0]!;
    const own = trades.filter(
      (trade) => trade.symbol === symbol && newYorkClock(trade.eventTimeMs).date < '2025-11-17',
    );
    expect(reference.sessions).toBe(new Set(own.map((trade) => newYorkClock(trade.eventTimeMs).date)).size);
    expect(reference.sessions).toBeLessThan(20);
    expect(reference.vwap20E4).toBeCloseTo(vwapOf(own), 4);
    expect(await loadReference(history, '2025-01-01')).toEqual(new Map());
  });

  test('has no reference for a symbol that it does not know', () => {
    expect(references.get('ZZZZ')).toBeUndefined();
  });

  test('is kept as it is when the same one is wanted again', async () => {
    const before = statSync(path);
    const again = await buildHistory({ path, source: simulatedHistory(SMALL) });
    expect(again.built).toBe(false);
    expect(again.meta).toEqual(outcome.meta);
    expect(statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test('is not replaced by that of another seed or date: the refusal names both', async () => {
    const otherSeed = buildHistory({ path, source: simulatedHistory({ ...SMALL, seed: 6 }) });
    await expect(otherSeed).rejects.toThrow(/seed 5, 4 symbols.*seed 6, 4 symbols/s);
    const otherDate = buildHistory({ path, source: simulatedHistory({ ...SMALL, date: '2025-12-02' }) });
    await expect(otherDate).rejects.toMatchObject({
      message: expect.stringMatching(/2025-12-01.*2025-12-02/s),
      mend: expect.stringContaining('npm run clean'),
    });
  });

  test('may be open in several readers at once', async () => {
    const other = await openHistory(path);
    expect(await other.symbols()).toEqual(await history.symbols());
    other.close();
  });

  test('lies alone in its folder: nothing partial is left', () => {
    expect(readdirSync(dirname(path))).toEqual(['history.duckdb']);
  });
});

describe('building a history', () => {
  test('gives the same content for the same seed, and other content for another', async () => {
    const contents = await Promise.all(
      [SMALL, SMALL, { ...SMALL, seed: 6 }].map(async (options) => contentOf(await built(options))),
    );
    expect(contents[1]).toEqual(contents[0]);
    expect(contents[2]).not.toEqual(contents[0]);
  });

  test('leaves nothing behind when its source fails half-way, and works the next time', async () => {
    const path = historyPath(temporaryFolder());
    const source = simulatedHistory(SMALL);
    const failing = buildHistory({
      path,
      source: {
        ...source,
        async fill(target) {
          await source.fill(target);
          throw new Error('the feed broke off');
        },
      },
    });
    await expect(failing).rejects.toThrow('the feed broke off');
    expect(readdirSync(dirname(path))).toEqual([]);
    expect((await buildHistory({ path, source })).built).toBe(true);
  });

  test('removes what a killed build left, and leaves a living one’s file alone', async () => {
    const path = historyPath(temporaryFolder());
    await buildHistory({ path, source: simulatedHistory({ ...SMALL, symbolCount: 1 }) });
    rmSync(path);
    const dead = `${path}.999999999.partial`;
    const alive = `${path}.${process.ppid}.partial`;
    writeFileSync(dead, '');
    writeFileSync(`${dead}.wal`, '');
    writeFileSync(alive, '');
    await buildHistory({ path, source: simulatedHistory({ ...SMALL, symbolCount: 1 }) });
    expect(readdirSync(dirname(path)).sort()).toEqual(['history.duckdb', `history.duckdb.${process.ppid}.partial`]);
  });

  test('refuses a source that lets the session itself in', async () => {
    const path = historyPath(temporaryFolder());
    const leaking = { ...simulatedHistory(SMALL), sessionDate: '2025-11-20' };
    await expect(buildHistory({ path, source: leaking })).rejects.toThrow(/rows of trades are not before 2025-11-20/);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('says that a file which is no history cannot be opened', async () => {
    const path = join(temporaryFolder(), 'history.duckdb');
    writeFileSync(path, 'this is not a database');
    await expect(openHistory(path)).rejects.toMatchObject({
      message: expect.stringContaining(path),
      mend: expect.stringContaining('npm run clean'),
    });
    await expect(buildHistory({ path, source: simulatedHistory(SMALL) })).rejects.toThrow(/cannot be opened/);
  });
});

async function built(options: typeof SMALL): Promise<string> {
  const path = historyPath(temporaryFolder());
  await buildHistory({ path, source: simulatedHistory(options) });
  return path;
}

/** Number and hash of the rows of each table. */
async function contentOf(path: string): Promise<unknown[]> {
  const history = await openHistory(path);
  try {
    const tables = ['sessions', 'trades', 'minute_bars', 'daily_bars'];
    const hashes = tables.map((table) =>
      history.rows(`SELECT '${table}' AS name, count(*)::VARCHAR AS n, sum(hash(t))::VARCHAR AS hash FROM ${table} t`),
    );
    return await Promise.all(hashes);
  } finally {
    history.close();
  }
}

function groupBy<Value, Key>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

/** The generator hands out one object again and again. */
function copyOf(trade: Readonly<Trade>): Trade {
  return { ...trade };
}

function bySessionAndSymbol(left: Omit<Trade, 'kind' | 'sequence'>, right: typeof left): number {
  const day = (trade: typeof left) => newYorkClock(trade.eventTimeMs).date;
  return compare(day(left), day(right)) || compare(left.symbol, right.symbol) || left.eventTimeMs - right.eventTimeMs;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function barOf(list: readonly Trade[]) {
  const prices = list.map(({ priceE4 }) => priceE4);
  return {
    openE4: prices[0],
    highE4: Math.max(...prices),
    lowE4: Math.min(...prices),
    closeE4: prices.at(-1),
    volume: sum(list.map(({ size }) => size)),
    trades: list.length,
  };
}

function vwapOf(list: readonly Trade[]): number {
  return sum(list.map(({ priceE4, size }) => priceE4 * size)) / sum(list.map(({ size }) => size));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
