import { type Decision, decisionReasons } from '@tickfold/market';
import { expect, test } from 'vitest';
import { explain } from './explain.ts';

const decision: Decision = {
  symbol: 'BAC',
  eventTimeMs: 0,
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
  relativeVolume: 3.5,
  vwapDeviation: -1.5,
  sizePercentile: 12,
  parametersVersion: 'defaults',
};

test('a decision is said in one sentence with its numbers', () => {
  expect(explain(decision)).toBe(
    'Buys 100 to be long 100: the price of 13.80 is 2.35 standard deviations below its average of 14.00, at or beyond 2, and is expected to come back.',
  );
});

test('a hold says what stood in the way', () => {
  expect(explain({ ...decision, action: 'hold', target: 0, reason: 'heavy_volume', threshold: 3 })).toBe(
    "Stays without a position: the price of 13.80 is 2.35 standard deviations below its average of 14.00, but today's volume is 3.5 times the average, above 3.",
  );
});

test.each(decisionReasons)('%s has a sentence of its own that leaves no number out', (reason) => {
  const sentences = decisionReasons.map((other) => explain({ ...decision, reason: other }));
  const said = explain({ ...decision, reason });
  expect(said).not.toMatch(/undefined|null|NaN|unknown/);
  const sharing = sentences.filter((sentence) => sentence === said).length;
  // Above and below the mean are told apart by their numbers.
  expect(sharing).toBeLessThanOrEqual(reason.endsWith('_mean') ? 2 : 1);
});
