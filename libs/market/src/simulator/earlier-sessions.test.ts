import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newYorkClock } from '../calendar/new-york-time.ts';
import { parseTick } from '../layouts/decode.ts';
import type { Trade } from '../tick.ts';
import { createEarlierSessions } from './earlier-sessions.ts';
import { createSimulator } from './simulator.ts';

interface Totals {
  volume: number;
  weighted: number;
  weightedSquares: number;
  lastE4: number;
}

describe('the sessions before a simulated one', () => {
  const past = createEarlierSessions();
  const history = new Map<string, Totals>();
  const live: Trade[] = [];

  beforeAll(() => {
    for (const date of past.dates) for (const trade of past.trades(date)) addTrade(history, trade);
    for (const chunk of createSimulator().chunks()) {
      for (const { kind, line, eventTimeMs } of chunk) {
        const tick = parseTick(kind, line, eventTimeMs);
        if (tick.kind === 'trade') live.push(tick);
      }
    }
  });

  test('are the 20 trading days before it', () => {
    expect(past.dates).toHaveLength(20);
    expect(past.dates[0]).toBe('2025-09-09');
    expect(past.dates.at(-1)).toBe('2025-10-06');
  });

  test('are the same whenever the seed is the same, and others when it is not', () => {
    const small = { symbolCount: 3, peakTicksPerSecond: 20 };
    expect(hashOf(small)).toBe(hashOf(small));
    expect(hashOf({ ...small, seed: 43 })).not.toBe(hashOf(small));
  });

  test('hold trades of their own day only, in order of time', () => {
    const date = past.dates[7]!;
    let lastMs = 0;
    for (const { eventTimeMs } of past.trades(date)) {
      if (newYorkClock(eventTimeMs).date !== date || eventTimeMs < lastMs) expect.fail(`${eventTimeMs} on ${date}`);
      lastMs = eventTimeMs;
    }
  });

  test('end within 2 percent of the price at which the live session begins', () => {
    const first = new Map<string, number>();
    for (const trade of live) if (!first.has(trade.symbol)) first.set(trade.symbol, trade.priceE4);
    for (const [symbol, { lastE4 }] of history) {
      expect(Math.abs(first.get(symbol)! / lastE4 - 1)).toBeLessThan(0.02);
    }
  });

  test('trade as much in a day as the live session, within a quarter', () => {
    const today = new Map<string, Totals>();
    for (const trade of live) addTrade(today, trade);
    for (const [symbol, { volume }] of history) {
      const relative = today.get(symbol)!.volume / (volume / 20);
      expect(relative).toBeGreaterThan(0.75);
      expect(relative).toBeLessThan(1.33);
    }
  });

  test('leave nearly all live prices within three standard deviations of their volume-weighted mean', () => {
    let within = 0;
    for (const trade of live) {
      const { volume, weighted, weightedSquares } = history.get(trade.symbol)!;
      const vwapE4 = weighted / volume;
      const deviationE4 = Math.sqrt(weightedSquares / volume - vwapE4 ** 2);
      if (Math.abs(trade.priceE4 - vwapE4) <= 3 * deviationE4) within++;
    }
    expect(within / live.length).toBeGreaterThan(0.95);
  });
});

function addTrade(totals: Map<string, Totals>, { symbol, priceE4, size }: Readonly<Trade>): void {
  const sum = totals.get(symbol) ?? { volume: 0, weighted: 0, weightedSquares: 0, lastE4: 0 };
  sum.volume += size;
  sum.weighted += priceE4 * size;
  sum.weightedSquares += priceE4 ** 2 * size;
  sum.lastE4 = priceE4;
  totals.set(symbol, sum);
}

function hashOf(options: Parameters<typeof createEarlierSessions>[0]): string {
  const past = createEarlierSessions(options);
  const hash = createHash('sha256');
  for (const date of past.dates) for (const trade of past.trades(date)) hash.update(JSON.stringify(trade));
  return hash.digest('hex');
}
