import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { sessionTimes } from '../calendar/sessions.ts';
import { parseTick } from '../layouts/decode.ts';
import type { FeedRecord, Tick } from '../tick.ts';
import type { SimulatorOptions } from './defaults.ts';
import { createSimulator } from './simulator.ts';

/** Small sessions: some hundred ticks to some thousand, so that many can be tried. */
const smallSession = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  date: fc.constantFrom('2025-10-07', '2025-11-28', '2024-03-11', '2013-10-08'),
  symbolCount: fc.integer({ min: 1, max: 50 }),
  peakTicksPerSecond: fc.integer({ min: 3, max: 12 }),
  startAt: fc.constantFrom('09:25', '04:00', '12:59'),
});

describe('a simulated session', () => {
  test('is the same to the byte whenever the options are the same', () => {
    fc.assert(
      fc.property(smallSession, (options) => {
        expect(contentHash(records(options))).toBe(contentHash(records(options)));
      }),
      { numRuns: 10 },
    );
  });

  test('differs from that of another seed', () => {
    fc.assert(
      fc.property(smallSession, (options) => {
        const other = { ...options, seed: options.seed + 1 };
        expect(contentHash(records(options))).not.toBe(contentHash(records(other)));
      }),
      { numRuns: 10 },
    );
  });

  test('continues from any position with the same records', () => {
    fc.assert(
      fc.property(smallSession, fc.nat(), (options, somewhere) => {
        const all = records(options);
        const from = somewhere % (all.length + 1);
        expect(contentHash([...createSimulator(options).chunks(from)].flat())).toBe(contentHash(all.slice(from)));
      }),
      { numRuns: 10 },
    );
  });

  test('numbers its records and names their lines from the session they belong to', () => {
    fc.assert(
      fc.property(smallSession, (options) => {
        for (const [index, record] of records(options).entries()) {
          expect(record.position).toBe(index);
          expect(record.source).toBe(`sim-${options.seed}-${options.date}:${index + 1}`);
        }
      }),
      { numRuns: 5 },
    );
  });

  test('writes lines that the shared layouts read back, with the record’s own symbol, kind and time of day', () => {
    fc.assert(
      fc.property(smallSession, (options) => {
        for (const record of records(options)) {
          const tick = parseTick(record.kind, record.line, record.eventTimeMs);
          expect(tick.symbol).toBe(record.symbol);
          expect(tick.sequence).toBe(record.position + 1);
          expect(timeOfDay(record)).toBe(newYorkTimeOfDay.format(record.eventTimeMs).replace(/\D/g, ''));
        }
      }),
      { numRuns: 5 },
    );
  });

  test.each([
    [{ date: '2025-10-11' }, /2025-10-11 is no trading day/],
    [{ date: '2025-12-25' }, /2025-12-25 is no trading day/],
    [{ date: '2025-13-01' }, /2025-13-01 is not a date/],
    [{ startAt: '16:00' }, /cannot start at 16:00/],
    [{ startAt: 'noon' }, /cannot start at noon/],
    [{ symbolCount: 0 }, /0 simulated symbols/],
    [{ symbolCount: 401 }, /401 simulated symbols/],
  ])('refuses %j and names the value', (options, message) => {
    expect(() => createSimulator(options)).toThrow(message);
  });
});

describe('the default session', () => {
  let all: FeedRecord[];
  let ticks: Tick[];

  beforeAll(() => {
    all = records({});
    ticks = all.map((record) => parseTick(record.kind, record.line, record.eventTimeMs));
  });

  test('runs from 09:25 to 16:05 in New York, in order of time', () => {
    const { openMs, closeMs } = sessionTimes('2025-10-07');
    expect(all[0]!.eventTimeMs).toBeGreaterThanOrEqual(openMs - 300_000);
    expect(all[0]!.eventTimeMs).toBeLessThan(openMs - 299_000);
    expect(all.at(-1)!.eventTimeMs).toBeLessThan(closeMs + 300_000);
    expect(all.at(-1)!.eventTimeMs).toBeGreaterThan(closeMs + 290_000);
    for (let index = 1; index < all.length; index++) {
      if (all[index]!.eventTimeMs < all[index - 1]!.eventTimeMs) expect.fail(`${all[index]!.source} goes back in time`);
    }
  });

  test('has about 430,000 ticks, 22 percent trades, 70 percent quotes and 8 percent offers', () => {
    expect(all.length).toBeGreaterThan(400_000);
    expect(all.length).toBeLessThan(460_000);
    expect(shareOf('trade')).toBeCloseTo(0.22, 2);
    expect(shareOf('quote')).toBeCloseTo(0.7, 2);
    expect(shareOf('offer')).toBeCloseTo(0.08, 2);
  });

  test('never has more than 2,000 ticks in any 60 seconds, which the demo shows in one', () => {
    let most = 0;
    for (let from = 0, to = 0; to < all.length; to++) {
      while (all[to]!.eventTimeMs - all[from]!.eventTimeMs >= 60_000) from++;
      most = Math.max(most, to - from + 1);
    }
    expect(most).toBeLessThanOrEqual(2000);
    expect(most).toBeGreaterThan(1900);
  });

  test('is lively from its first minute, busiest at open and close and calm at noon', () => {
    expect(countBetween('09:25', '09:26')).toBeGreaterThan(1000);
    const open = countBetween('09:30', '09:45');
    const noon = countBetween('12:30', '12:45');
    const close = countBetween('15:45', '16:00');
    expect(open).toBeGreaterThan(2 * noon);
    expect(close).toBeGreaterThan(2 * noon);
  });

  test('keeps every exchange’s bid below its ask, reading a side of 0 as unchanged', () => {
    const bids = new Map<string, number>();
    const asks = new Map<string, number>();
    for (const [index, tick] of ticks.entries()) {
      if (tick.kind !== 'quote') continue;
      const place = `${tick.symbol} ${tick.exchange}`;
      const bidFields = [tick.bidPriceE4, tick.bidSize].filter((value) => value > 0).length;
      const askFields = [tick.askPriceE4, tick.askSize].filter((value) => value > 0).length;
      if (Math.abs(bidFields - askFields) !== 2) expect.fail(`${all[index]!.source} has not exactly one side`);
      if (tick.bidPriceE4 > 0) bids.set(place, tick.bidPriceE4);
      if (tick.askPriceE4 > 0) asks.set(place, tick.askPriceE4);
      if ((bids.get(place) ?? 0) >= (asks.get(place) ?? Number.POSITIVE_INFINITY)) {
        expect.fail(`${place} is crossed after ${all[index]!.source}`);
      }
    }
    expect(bids.size).toBe(120); // 40 symbols on 3 exchanges each
    expect(asks.size).toBe(120);
  });

  test('moves its symbols together, as one market does, and yet each on its own', () => {
    const returns = fiveMinuteReturns();
    const correlations: number[] = [];
    for (let left = 0; left < returns.length; left++) {
      for (let right = 0; right < left; right++) correlations.push(correlation(returns[left]!, returns[right]!));
    }
    expect(correlations).toHaveLength(780);
    expect(mean(correlations)).toBeGreaterThan(0.1);
    expect(mean(correlations)).toBeLessThan(0.7);
  });

  test('keeps prices between 5 and 500 USD and sizes within their field', () => {
    for (const tick of ticks) {
      if (tick.kind === 'quote') continue;
      if (tick.priceE4 < 50_000 || tick.priceE4 > 5_000_000) expect.fail(`${tick.symbol} at ${tick.priceE4}`);
      if (tick.size < 1 || tick.size > 999_999_999) expect.fail(`${tick.symbol} of ${tick.size}`);
    }
  });

  test('has few traders who send or receive much, and 1 to 10 distinct receivers without the sender', () => {
    const sent = new Map<string, number>();
    for (const tick of ticks) {
      if (tick.kind !== 'offer') continue;
      sent.set(tick.sender, (sent.get(tick.sender) ?? 0) + 1);
      const receivers = new Set(tick.receivers);
      if (receivers.size !== tick.receivers.length || receivers.has(tick.sender)) expect.fail(JSON.stringify(tick));
    }
    const counts = [...sent.values()].sort((left, right) => right - left);
    const offers = counts.reduce((sum, count) => sum + count, 0);
    expect(counts.length).toBeGreaterThan(350);
    expect(counts.slice(0, 20).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(offers / 2);
  });

  function shareOf(kind: Tick['kind']): number {
    return all.filter((record) => record.kind === kind).length / all.length;
  }

  function countBetween(from: string, to: string): number {
    const key = (time: string) => `${time.replace(':', '')}00000`;
    return all.filter((record) => timeOfDay(record) >= key(from) && timeOfDay(record) < key(to)).length;
  }

  /** Per symbol: relative changes of the last trade price from one five-minute mark to the next. */
  function fiveMinuteReturns(): number[][] {
    const { openMs, closeMs } = sessionTimes('2025-10-07');
    const marks = new Map<string, number[]>();
    for (const tick of ticks) {
      if (tick.kind !== 'trade' || tick.eventTimeMs < openMs || tick.eventTimeMs >= closeMs) continue;
      const closes = marks.get(tick.symbol) ?? [];
      closes[Math.floor((tick.eventTimeMs - openMs) / 300_000)] = tick.priceE4;
      marks.set(tick.symbol, closes);
    }
    return [...marks.values()].map((closes) => closes.slice(1).map((price, index) => price / closes[index]! - 1));
  }
});

const newYorkTimeOfDay = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

function records(options: SimulatorOptions): FeedRecord[] {
  return [...createSimulator(options).chunks()].flat();
}

function contentHash(list: readonly FeedRecord[]): string {
  const hash = createHash('sha256');
  for (const { line, ...rest } of list) hash.update(line).update(JSON.stringify(rest).replace(/"source":"[^"]*",/, ''));
  return hash.digest('hex');
}

function timeOfDay(record: FeedRecord): string {
  return Buffer.from(record.line.subarray(0, 9)).toString('latin1');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function correlation(left: readonly number[], right: readonly number[]): number {
  const [meanLeft, meanRight] = [mean(left), mean(right)];
  const pairs = left.map((value, index) => [value - meanLeft, right[index]! - meanRight] as const);
  const covariance = mean(pairs.map(([a, b]) => a * b));
  return covariance / Math.sqrt(mean(pairs.map(([a]) => a * a)) * mean(pairs.map(([, b]) => b * b)));
}
