import type { Decision, EnrichedTick } from '@tickfold/market';
import { decisionReasons } from '@tickfold/market';
import { describe, expect, test } from 'vitest';
import { describeDiff } from './describe-diff.ts';
import { decisionDifferenceKinds, type ProfitPart, profitPartKinds, type VolumeDiff } from './volume-diff.ts';
import { describeKind, describePart, formatColumnE4 } from './wording.ts';

const decision: Decision = {
  symbol: 'BAC',
  eventTimeMs: Date.UTC(2013, 9, 8, 14, 2, 3, 45),
  priceE4: 138_000,
  size: 300,
  action: 'buy',
  reason: 'below_mean',
  previousTarget: 0,
  target: 100,
  signal: -2.345,
  threshold: 2,
  meanE4: 140_012.4,
  deviationE4: 858,
  changeBps: null,
  relativeVolume: 0.35,
  vwapDeviation: -2.5,
  sizePercentile: 12,
  parametersVersion: 'defaults',
};

const tick: EnrichedTick = {
  kind: 'trade',
  symbol: 'BAC',
  eventTimeMs: decision.eventTimeMs,
  source: 'feed:4',
  exchange: 'N',
  priceE4: 138_000,
  size: 300,
  side: 'none',
  bidPriceE4: 0,
  bidSize: 0,
  askPriceE4: 0,
  askSize: 0,
  volumeToday: 1_000,
  previousCloseE4: null,
  changeBps: null,
  averageVolume20: null,
  relativeVolume: 0.35,
  vwap20E4: null,
  vwapDeviation: -2.5,
  sizePercentile: 12,
};

const part = (more: Partial<ProfitPart>): ProfitPart => ({
  kind: 'only-a',
  reasonA: 'below_mean',
  reasonB: 'multi_day_move',
  trips: 2,
  amountE4: -278_000,
  example: null,
  ...more,
});

const different: VolumeDiff = {
  a: { ref: 'one', volume: 'one', model: 'reversion-1', parametersVersion: 'defaults', input: 'market@open' },
  b: { ref: 'two', volume: 'two', model: 'reversion-2', parametersVersion: 'takeBack=0.5', input: 'market@open' },
  equal: false,
  range: [
    { partition: 0, toInput: '1200' },
    { partition: 1, toInput: '34' },
  ],
  topics: [
    { topic: 'decisions', recordsA: 1_000, recordsB: 1_000, differing: 3 },
    { topic: 'fills', recordsA: 4, recordsB: 0, differing: 4 },
  ],
  kinds: [
    { kind: 'action', count: 2 },
    { kind: 'reason', count: 1 },
  ],
  first: null,
  firstAction: {
    kind: 'action',
    partition: 1,
    inputOffset: '33',
    source: 'feed:4',
    symbol: 'BAC',
    eventTimeMs: decision.eventTimeMs,
    tick,
    a: { decision, reason: 'Buys 100 to be long 100: it is cheap.' },
    b: { decision: null, reason: 'Made no decision on this tick.' },
  },
  profit: {
    equityAE4: 280_000,
    equityBE4: 12_345,
    differenceE4: -267_655,
    feesAE4: 2_000,
    feesBE4: 0,
    fillsA: 4,
    fillsB: 0,
    asOf: [{ partition: 1, minuteMs: Date.UTC(2013, 9, 8, 14, 5) }],
    parts: [part({}), part({ kind: 'only-b', reasonA: null, reasonB: 'above_mean', trips: 1, amountE4: 10_345 })],
  },
};

test('a diff is told from what was compared to what it cost, the parts as a column with its sum', () => {
  expect(describeDiff(different)).toBe(`\
A  one  reversion-1 (defaults), from market@open
B  two  reversion-2 (takeBack=0.5), from market@open

DIFFERENT: 7 records differ, or are on one side only.
Compared: what both made of their first 1,234 enriched ticks (by partition 0: 1,200, 1: 34).

            in A   in B  differ
decisions  1,000  1,000       3
fills          4      0       4

Decisions that differ
  2  another action or another target
  1  the same action for another reason

The first on which they acted differently
  BAC, 2013-10-08 10:02:03.045 New York; partition 1, offset 33, source feed:4
  The trade: 300 at 13.80 USD on N; change against history unknown; 0.350 of an average day's
    volume so far; -2.50 standard deviations from the 20-session VWAP; larger than 12% of trades
    at this time of day
  A: Buys 100 to be long 100: it is cheap.
     State: average 14.0012, standard deviation 0.0858, signal -2.35; wanted 0 shares before,
     100 after
  B: Made no decision on this tick.

Profit in USD, positions at their last trade, as of 2013-10-08 10:05 New York
  A  28.0000  4 fills, 0.20 in fees
  B   1.2345  0 fills, 0.00 in fees

B less A, by trips (the way of a position from flat to flat)
  -27.8000  2 trips that only A made, because the price was far below its average; B did not,
            because the price was on a move of days.
    1.0345  1 trip that only B made, because the price was far above its average; A made no
            decision there.
  --------
  -26.7655  difference
`);
});

test('equal volumes are told in few lines, without a first difference or parts', () => {
  const profit = { ...different.profit!, equityBE4: 280_000, differenceE4: 0, parts: [] };
  const topics = [{ topic: 'decisions', recordsA: 1, recordsB: 1, differing: 0 }];
  const said = describeDiff({ ...different, equal: true, topics, kinds: [], firstAction: null, profit });
  expect(said).toContain('EQUAL: 1 record on each side, the same in content and order.');
  expect(said).toContain('No trip differs.');
  expect(said).not.toMatch(/first on which|difference$/m);
});

test('volumes that no model wrote are told by their topics alone', () => {
  const side = { ref: 'market', volume: 'market', model: null, parametersVersion: null, input: null };
  const said = describeDiff({ ...different, a: side, b: side, range: [], kinds: [], firstAction: null, profit: null });
  expect(said).not.toMatch(/Compared|Profit|null|undefined/);
  expect(said).toMatch(/^A {2}market\nB {2}market\n\nDIFFERENT/);
});

test('a line never ends between a partition and how much of it was compared', () => {
  for (let width = 1; width <= 9; width++) {
    const range = [0, 1, 2, 3, 4, 5].map((partition) => ({ partition, toInput: '9'.repeat(width) }));
    const compared = describeDiff({ ...different, range }).match(/^Compared:[\s\S]*?\)\.$/m)![0];
    expect(compared).not.toMatch(/:$/m);
    expect(compared.match(/\d: [\d,]*9/g)).toHaveLength(6);
  }
});

test('no line is wider than 96 columns', () => {
  for (const kind of profitPartKinds) {
    for (const reason of decisionReasons) {
      const parts = [part({ kind, reasonA: reason, reasonB: 'warming_up', trips: 12_345, amountE4: -9_876_543_210 })];
      const said = describeDiff({ ...different, profit: { ...different.profit!, parts } });
      for (const line of said.split('\n')) expect(line.length, line).toBeLessThanOrEqual(96);
    }
  }
});

describe('the words for parts', () => {
  test.each(profitPartKinds)('name the reasons of %s, each in words of its own, and leave nothing out', (kind) => {
    if (kind === 'unattributed') return expect(describePart(part({ kind }))).toMatch(/No trip accounts/);
    const sentences = decisionReasons.map((reason) => describePart(part({ kind, reasonA: reason, reasonB: reason })));
    expect(new Set(sentences).size).toBe(decisionReasons.length);
    for (const sentence of sentences) expect(sentence).not.toMatch(/undefined|null|_/);
  });

  test('tell a side that wanted the same from one that did not', () => {
    expect(describePart(part({ reasonB: 'below_mean' }))).toMatch(/B wanted the same/);
    expect(describePart(part({ reasonB: 'small_trade' }))).toMatch(/B did not, because the trade was too small/);
  });
});

test('every kind of difference has words of its own', () => {
  expect(new Set(decisionDifferenceKinds.map(describeKind)).size).toBe(decisionDifferenceKinds.length);
});

test('a column of amounts shows every digit that counts', () => {
  expect(formatColumnE4([12_345_600, -100, 0])).toEqual(['1,234.56', '-0.01', '0.00']);
  expect(formatColumnE4([12_345_600, -1])).toEqual(['1,234.5600', '-0.0001']);
});
