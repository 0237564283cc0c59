import type { LeanFactor } from '@tickfold/market';
import { describe, expect, test } from 'vitest';
import { Splits } from './lean-history.ts';

const factor = (date: string, splitFactor: number): LeanFactor => ({
  date,
  splitFactor,
  priceFactor: 0.5,
  referencePrice: 100,
});

/** A split of 2 for 1 after 2014-06-06, and one of 1 for 20 after 2009-06-30. */
const factors = [factor('2009-06-30', 10), factor('2014-06-06', 0.5), factor('2050-12-31', 1)];

describe('splits between a day and the session', () => {
  test('leave days after the last split before the session as they are, whatever splits come later', () => {
    const splits = new Splits(factors, '2013-10-08');
    expect(splits.factor('2013-10-07')).toBe(1);
    expect(splits.factor('2009-07-01')).toBe(1);
  });

  test('express earlier prices in the shares of the session', () => {
    expect(new Splits(factors, '2013-10-08').factor('2009-06-30')).toBe(20);
    expect(new Splits(factors, '2020-01-02').factor('2013-10-07')).toBe(0.5);
    expect(new Splits(factors, '2020-01-02').factor('2009-06-30')).toBe(10);
  });

  test('are none without a factor file', () => {
    expect(new Splits([], '2013-10-08').factor('1998-01-02')).toBe(1);
  });
});
