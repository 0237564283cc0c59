import type { Decision, EnrichedTick } from '@tickfold/market';
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, TEN_O_CLOCK_MS, trade } from '../test/ticks.ts';
import { findModel } from './registry.ts';

const versions = ['reversion-1', 'reversion-2'];
const CLOSE_MS = TEN_O_CLOCK_MS + 6 * 60 * MINUTE_MS;

/** Decisions of a version on trades, each given by minutes after ten, price and whatever else it has. */
function decisions(
  name: string,
  trades: [minute: number, priceE4: number, more?: Partial<EnrichedTick>][],
  overrides: Record<string, number> = {},
): Decision[] {
  const model = findModel(name).create({ warmUpMinutes: 2, averagingMinutes: 10, ...overrides });
  const state = model.createState();
  return trades.map(([minute, priceE4, more]) => {
    const decision = model.evaluate(
      state,
      trade(priceE4, { eventTimeMs: TEN_O_CLOCK_MS + minute * MINUTE_MS, ...more }),
    );
    return decision!;
  });
}

const last = (...args: Parameters<typeof decisions>): Decision => decisions(...args).at(-1)!;

/** Calm, then one price far below. */
const fall = [
  [0, 140_000],
  [1, 140_050],
  [2, 139_950],
  [3, 138_000],
] as [number, number, Partial<EnrichedTick>?][];

describe.each(versions)('%s', (name) => {
  test('holds while it warms up', () => {
    expect(decisions(name, fall).map(({ reason }) => reason)).toEqual([
      'warming_up',
      'warming_up',
      'within_band',
      'below_mean',
    ]);
  });

  test('buys a price far below its average and writes down what it saw', () => {
    const decision = last(name, fall);
    expect(decision).toMatchObject({ action: 'buy', previousTarget: 0, target: 100, threshold: 2 });
    expect(decision.signal).toBeCloseTo((138_000 - decision.meanE4!) / decision.deviationE4!);
  });

  test('sells a price far above its average', () => {
    expect(last(name, [...fall.slice(0, 3), [3, 142_000]])).toMatchObject({ action: 'sell', target: -100 });
  });

  test('judges a trade against earlier ones only', () => {
    const [quiet, loud] = [138_000, 100_000].map((priceE4) => last(name, [...fall.slice(0, 3), [3, priceE4]]));
    expect(quiet!.meanE4).toBe(loud!.meanE4);
    expect(quiet!.deviationE4).toBe(loud!.deviationE4);
  });

  test('keeps its position while the price stays away, and closes when it is back', () => {
    const [, , , , away, back] = decisions(name, [...fall, [4, 138_100], [5, 139_950]]);
    expect(away).toMatchObject({ action: 'hold', target: 100 });
    expect(['position_kept', 'price_awaited']).toContain(away!.reason);
    expect(back).toMatchObject({ action: 'sell', target: 0 });
    expect(['reverted', 'partly_reverted']).toContain(back!.reason);
  });

  test('closes a position that has been open too long', () => {
    const trades = [...fall, [4, 137_000], [5, 136_000]] as typeof fall;
    expect(last(name, trades, { maxHoldMinutes: 2 })).toMatchObject({ reason: 'held_too_long', target: 0 });
  });

  test('opens nothing once the volume of the day is heavy', () => {
    expect(last(name, [...fall.slice(0, 3), [3, 138_000, { relativeVolume: 3.1 }]])).toMatchObject({
      reason: 'heavy_volume',
      action: 'hold',
      threshold: 3,
    });
  });

  test('decides nothing outside of the regular session', () => {
    const night = 10 * 60;
    const trades = fall.map(([minute, price]) => [minute + night, price]) as typeof fall;
    expect(new Set(decisions(name, trades).map(({ reason }) => reason))).toEqual(new Set(['outside_session']));
  });

  test('ends the session without a position, and opens none at its end', () => {
    const close = (CLOSE_MS - TEN_O_CLOCK_MS) / MINUTE_MS;
    const before = (minutes: number) =>
      fall.map(([minute, price]) => [close - minutes - 3 + minute, price]) as typeof fall;
    expect(last(name, [...before(6), [close - 5, 136_000]])).toMatchObject({ reason: 'session_end', target: 0 });
    expect(last(name, before(5))).toMatchObject({ reason: 'session_ending', action: 'hold' });
    expect(last(name, before(5), { flatMinutesBeforeClose: 0 })).toMatchObject({ action: 'buy' });
  });

  test('starts its average anew after a long silence', () => {
    expect(last(name, [...fall.slice(0, 3), [30, 150_000]])).toMatchObject({ reason: 'warming_up', meanE4: null });
  });

  test('takes no feature for granted: without history it trades all the same', () => {
    expect(last(name, fall)).toMatchObject({ vwapDeviation: null, sizePercentile: null, action: 'buy' });
  });
});

describe('what reversion-2 does differently', () => {
  const marked = (more: Partial<EnrichedTick>) => [...fall.slice(0, 3), [3, 138_000, more]] as typeof fall;

  test('it does not buy a fall of days, which reversion-1 buys', () => {
    const trades = marked({ vwapDeviation: -2.5 });
    expect(last('reversion-1', trades).reason).toBe('below_mean');
    expect(last('reversion-2', trades)).toMatchObject({ reason: 'multi_day_move', action: 'hold' });
  });

  test('it buys a dip of a rise of days', () => {
    expect(last('reversion-2', marked({ vwapDeviation: 2.5 })).reason).toBe('below_mean');
  });

  test('it neither acts on a small trade nor lets it move its average', () => {
    const [, , , small, next] = decisions('reversion-2', [...marked({ sizePercentile: 5 }), [4, 140_000]]);
    expect(small).toMatchObject({ reason: 'small_trade', action: 'hold' });
    expect(next!.meanE4).toBe(small!.meanE4);
    expect(last('reversion-1', marked({ sizePercentile: 5 })).reason).toBe('below_mean');
  });

  test('it closes when the price has come a part of the way back', () => {
    const trades = [...fall, [4, 139_300]] as typeof fall;
    expect(last('reversion-1', trades).reason).toBe('position_kept');
    expect(last('reversion-2', trades).reason).toBe('partly_reverted');
  });
});
