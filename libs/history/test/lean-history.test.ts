import type { LeanDailyBar, LeanFactor, LeanFolder, LeanTrade } from '@tickfold/market';
import { describe, expect, onTestFinished, test } from 'vitest';
import { buildHistory, type History, historyPath, leanHistory, loadReference, openHistory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SESSION = '2020-09-01';
const feed = { identity: 'lean:test', description: 'lean: a made-up folder', eventDate: SESSION };

describe('the history of a LEAN folder', () => {
  test('takes in nothing of the session or after it, though the folder reaches years further', async () => {
    const history = await historyOf(
      folderOf({
        bars: [bar('2020-08-28', 100), bar('2020-08-31', 101), bar(SESSION, 999), bar('2021-03-31', 999)],
        trades: { '2020-08-31': [101], [SESSION]: [999], '2020-09-02': [999] },
      }),
    );
    const latest = await history.rows(`
      SELECT max(session_date)::VARCHAR AS latest FROM daily_bars
      UNION ALL SELECT max(session_date)::VARCHAR FROM trades
      UNION ALL SELECT max(session_date)::VARCHAR FROM minute_bars
      UNION ALL SELECT max(event_time)::DATE::VARCHAR FROM trades`);
    expect(latest.map((row) => row.latest)).toEqual(Array(4).fill('2020-08-31'));
    expect((await loadReference(history, SESSION)).get('ABC')).toMatchObject({
      previousCloseE4: 1_010_000,
      sessions: 2,
    });
  });

  test('adjusts prices and sizes for splits up to the session, not for later ones and not for dividends', async () => {
    const factors: LeanFactor[] = [
      { date: '2020-08-28', priceFactor: 0.9, splitFactor: 0.125, referencePrice: 400 }, // 4 for 1 on 2020-08-31
      { date: '2021-01-15', priceFactor: 0.95, splitFactor: 0.5, referencePrice: 100 }, // 2 for 1 after the session
      { date: '2050-12-31', priceFactor: 1, splitFactor: 1, referencePrice: 0 },
    ];
    const history = await historyOf(
      folderOf({
        factors,
        bars: [bar('2020-08-28', 400, 1000), bar('2020-08-31', 101, 5000)],
        trades: { '2020-08-28': [400], '2020-08-31': [101] },
      }),
    );
    const closes = (await history.dailyBars('ABC', 2)).map(({ closeE4, volume }) => [closeE4, volume]);
    expect(closes).toEqual([
      [1_000_000, 4000],
      [1_010_000, 5000],
    ]);
    const trades = await history.rows(
      'SELECT price::VARCHAR AS price, size::DOUBLE AS size FROM trades ORDER BY rowid',
    );
    expect(trades).toEqual([
      { price: '100.0000', size: 400 },
      { price: '101.0000', size: 100 },
    ]);
  });

  test('takes the VWAP from daily bars where there are fewer days of trades, and says so', async () => {
    const history = await historyOf(
      folderOf({
        bars: [
          { ...bar('2020-08-28', 100, 1000), highE4: 1_020_000, lowE4: 980_000 },
          { ...bar('2020-08-31', 110, 3000), highE4: 1_130_000, lowE4: 1_100_000 },
        ],
        trades: { '2020-08-31': [111] },
      }),
    );
    const typicalE4 = [1_000_000, (1_130_000 + 1_100_000 + 1_100_000) / 3] as const;
    const vwapE4 = (typicalE4[0] * 1000 + typicalE4[1] * 3000) / 4000;
    const variance = (1000 * (typicalE4[0] - vwapE4) ** 2 + 3000 * (typicalE4[1] - vwapE4) ** 2) / 4000;
    const reference = (await loadReference(history, SESSION)).get('ABC')!;
    expect(reference).toMatchObject({ vwapBasis: 'daily-bars', vwapSessions: 2, averageVolume20: 2000 });
    expect(reference.vwap20E4).toBeCloseTo(vwapE4, 4);
    expect(reference.vwapStdE4).toBeCloseTo(Math.sqrt(variance), 4);
    expect(history.meta.standIns).toEqual([expect.stringMatching(/trades of 1 earlier session.*daily bars/)]);
  });

  test('derives a daily bar from trades where the folder has none of that day', async () => {
    const history = await historyOf(
      folderOf({ bars: [bar('2020-08-28', 100)], trades: { '2020-08-28': [99], '2020-08-31': [101, 103, 102] } }),
    );
    const bars = await history.dailyBars('ABC', 5);
    expect(bars.map(({ date, basis, closeE4 }) => [date, basis, closeE4])).toEqual([
      ['2020-08-28', 'file', 1_000_000],
      ['2020-08-31', 'trades', 1_020_000],
    ]);
  });

  test('has no reference for a symbol without any past', async () => {
    const history = await historyOf(folderOf({ trades: { [SESSION]: [999] } }));
    expect(await loadReference(history, SESSION)).toEqual(new Map());
  });
});

async function historyOf(folder: LeanFolder): Promise<History> {
  const path = historyPath(temporaryFolder());
  await buildHistory({ path, source: leanHistory(folder, feed) });
  const history = await openHistory(path);
  onTestFinished(() => history.close());
  return history;
}

interface FolderContent {
  bars?: LeanDailyBar[];
  factors?: LeanFactor[];
  /** Prices in USD by date, each of 100 shares, a second apart from 10:00. */
  trades?: Record<string, number[]>;
}

function folderOf({ bars = [], factors = [], trades = {} }: FolderContent): LeanFolder {
  return {
    path: '/made/up',
    symbols: () => ['ABC'],
    tickDates: () => Object.keys(trades).sort(),
    tickFiles: () => [],
    async *trades(symbol, date) {
      const prices = trades[date] ?? [];
      yield prices.map(
        (price, index): LeanTrade => ({
          kind: 'trade',
          symbol,
          eventTimeMs: Date.parse(`${date}T14:00:00Z`) + index * 1000,
          exchange: 'Q',
          priceE4: price * 10_000,
          size: 100,
          condition: '@',
          sequence: index + 1,
          source: `abc/${date}:${index + 1}`,
        }),
      );
    },
    dailyBars: async () => bars,
    factors: async () => factors,
  };
}

function bar(date: string, close: number, volume = 1000): LeanDailyBar {
  const closeE4 = close * 10_000;
  return { date, openE4: closeE4, highE4: closeE4, lowE4: closeE4, closeE4, volume };
}
