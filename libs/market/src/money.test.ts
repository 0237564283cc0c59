import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AMOUNT_E4_MAX,
  addE4,
  basisPointsOfE4,
  formatMoneyE4,
  formatPriceE4,
  MoneyError,
  notionalE4,
} from './money.ts';

test('amounts that are not exact are refused instead of rounded', () => {
  expect(() => notionalE4(99_999_999_999, 999_999_999)).toThrow(MoneyError);
  expect(() => addE4(AMOUNT_E4_MAX, 1)).toThrow(MoneyError);
  expect(() => addE4(0.5, 0)).toThrow(MoneyError);
  expect(notionalE4(103_300, 543)).toBe(56_091_900);
});

test('basis points are rounded half away from zero, alike for gains and losses', () => {
  expect(basisPointsOfE4(10_000, 1)).toBe(1);
  expect(basisPointsOfE4(15_000, 1)).toBe(2);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 12 }), fc.integer({ min: 0, max: 1_000 }), (amount, points) => {
      expect(basisPointsOfE4(-amount, points) + basisPointsOfE4(amount, points)).toBe(0);
      expect(Math.abs(basisPointsOfE4(amount, points) - (amount * points) / 10_000)).toBeLessThanOrEqual(0.5);
    }),
  );
});

test('prices show cents, and four decimals only where they matter', () => {
  expect(formatPriceE4(103_300)).toBe('10.33');
  expect(formatPriceE4(103_325)).toBe('10.3325');
  expect(formatPriceE4(50)).toBe('0.0050');
});

test('money shows dollars and cents with thousands apart', () => {
  expect(formatMoneyE4(12_345_000)).toBe('1,234.50');
  expect(formatMoneyE4(-12_345_678)).toBe('-1,234.57');
  expect(formatMoneyE4(-49)).toBe('0.00');
});
