import { expect, test } from 'vitest';
import { addPrice, startAverage } from './moving-average.ts';

test('a price after one time constant weighs one half', () => {
  const average = startAverage(100, 0);
  addPrice(average, 200, 1_000, 1_000);
  expect(average.meanE4).toBe(150);
  expect(average.varianceE4).toBe(0.5 * 0.5 * 100 * 100);
});

test('a price in the same millisecond adds nothing', () => {
  const average = startAverage(100, 5);
  addPrice(average, 200, 5, 1_000);
  expect(average).toEqual(startAverage(100, 5));
});

test('a time before the last one counts as the last one', () => {
  const average = startAverage(100, 5_000);
  addPrice(average, 200, 1_000, 1_000);
  expect(average.meanE4).toBe(100);
  expect(average.lastTimeMs).toBe(5_000);
});
