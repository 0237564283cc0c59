import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeTicks, valueTicks } from './axis-ticks.ts';
import { dailyCandles, historyLevels, mergeBars, minuteCandles } from './candles.ts';
import { downsample } from './downsample.ts';
import { equityRows } from './equity-rows.ts';

const bar = (startMs: number, closeE4 = 100_000) => ({
  startMs,
  openE4: 100_000,
  highE4: 110_000,
  lowE4: 90_000,
  closeE4,
  volume: 10,
});

const x = (point: { x: number }) => point.x;
const y = (point: { y: number }) => point.y;

test('a downsampled line has the asked number of points, in order, its ends among them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 3, maxLength: 300 }),
      fc.integer({ min: 3, max: 50 }),
      (values, limit) => {
        const points = values.map((value, index) => ({ x: index, y: value }));
        const kept = downsample(points, limit, x, y);
        expect(kept).toHaveLength(Math.min(limit, points.length));
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
        expect(kept.every((point, index) => index === 0 || point.x > kept[index - 1]!.x)).toBe(true);
      },
    ),
  );
});

test('downsampling keeps a lone spike', () => {
  const points = Array.from({ length: 1_000 }, (_, index) => ({ x: index, y: index === 617 ? 1_000 : 0 }));
  expect(downsample(points, 20, x, y)).toContainEqual({ x: 617, y: 1_000 });
});

test('equity lines share an axis, and a minute that a model lacks keeps its last value', () => {
  const rows = equityRows(
    {
      a: [
        { minuteMs: 1, equityE4: 10_000 },
        { minuteMs: 3, equityE4: 30_000 },
      ],
      b: [{ minuteMs: 2, equityE4: -20_000 }],
    },
    100,
  );
  expect(rows).toEqual([
    { minuteMs: 1, a: 1 },
    { minuteMs: 2, a: 1, b: -2 },
    { minuteMs: 3, a: 3, b: -2 },
  ]);
});

test('the hours before anything was held are cut to one minute', () => {
  const series = (...values: number[]) => values.map((equityE4, minuteMs) => ({ minuteMs, equityE4 }));
  const minutes = (equity: Parameters<typeof equityRows>[0]) => equityRows(equity, 100).map(({ minuteMs }) => minuteMs);
  expect(minutes({ a: series(0, 0, 0, 0, 5), b: series(0, 0, 0, 7, 0) })).toEqual([2, 3, 4]);
  expect(minutes({ a: series(0, 0), b: [] })).toEqual([0, 1]);
});

test('newer bars replace those from their first minute on', () => {
  const merged = mergeBars([bar(1), bar(2)], [bar(2, 1), bar(3)]);
  expect(merged.map(({ startMs, closeE4 }) => [startMs, closeE4])).toEqual([
    [1, 100_000],
    [2, 1],
    [3, 100_000],
  ]);
  expect(mergeBars([bar(1)], [])).toEqual([bar(1)]);
});

test('a minute bar becomes a candle in USD and UTC seconds', () => {
  expect(minuteCandles([bar(60_000)])).toEqual([{ timeS: 60, open: 10, high: 11, low: 9, close: 10, volume: 10 }]);
});

test('today so far stands behind the sessions before', () => {
  const day = { date: '2013-10-07', openE4: 1, highE4: 1, lowE4: 1, closeE4: 1, volume: 1 };
  const candles = dailyCandles([day], { date: '2013-10-08', bars: [bar(0), bar(60_000, 105_000)] });
  expect(candles).toHaveLength(2);
  expect(candles[1]).toMatchObject({ timeS: Date.UTC(2013, 9, 8) / 1_000, open: 10, close: 10.5, volume: 20 });
  expect(dailyCandles([day], { date: '2013-10-08', bars: [] })).toHaveLength(1);
});

test('levels are drawn for what history knows, and for nothing else', () => {
  const history = { origin: 'synthetic' as const, averageVolume: 1, days: [] };
  const titles = (values: {
    previousCloseE4: number | null;
    vwapE4: number | null;
    standardDeviationE4: number | null;
  }) => historyLevels({ ...history, ...values }).map(({ title, price }) => [title, price]);
  expect(titles({ previousCloseE4: 100_000, vwapE4: 90_000, standardDeviationE4: 10_000 })).toEqual([
    ['Prev. close', 10],
    ['VWAP 20', 9],
    ['+1 sd', 10],
    ['−1 sd', 8],
  ]);
  expect(titles({ previousCloseE4: null, vwapE4: null, standardDeviationE4: null })).toEqual([]);
});

test('times on the axis are round, and no more than asked for', () => {
  const at = (hour: number, minute: number) => Date.UTC(2025, 9, 7, hour, minute);
  expect(timeTicks(at(13, 31), at(16, 24), 8)).toEqual([at(14, 0), at(14, 30), at(15, 0), at(15, 30), at(16, 0)]);
  expect(timeTicks(at(13, 31), at(13, 31), 8)).toEqual([at(13, 31)]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_440 }), fc.integer({ min: 0, max: 1_440 }), (start, length) => {
      const ticks = timeTicks(start * 60_000, (start + length) * 60_000, 10);
      expect(ticks.length).toBeLessThanOrEqual(10);
    }),
  );
});

test('values on the axis are whole, enclose what is drawn, and hold nought where it is inside', () => {
  expect(valueTicks(-191.9, 0, 7)).toEqual([-200, -150, -100, -50, 0]);
  expect(valueTicks(0, 0, 7)).toEqual([-1, 0, 1]);
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 0 }), fc.integer({ min: 0, max: 1_000_000 }), (low, high) => {
      const ticks = valueTicks(low, high, 7);
      expect(ticks[0]).toBeLessThanOrEqual(low);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(high);
      expect(ticks).toContain(0);
      expect(ticks.length).toBeLessThanOrEqual(8);
    }),
  );
});
