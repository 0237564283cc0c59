import { describe, expect, test } from 'vitest';
import { SizeDistribution } from './size-distribution.ts';

const AT_TEN = 10 * 3_600_000;
const AT_NOON = 12 * 3_600_000;

describe('the sizes of past trades', () => {
  const distribution = new SizeDistribution();
  distribution.add(20, 50, 1);
  distribution.add(20, 100, 6);
  distribution.add(20, 500, 3);
  distribution.add(31, 10, 10);

  test.each([
    [49, 0],
    [50, 10],
    [99, 10],
    [100, 70],
    [499, 70],
    [500, 100],
    [10_000, 100],
  ])(
    'rank a size of %i at the share of trades of its half-hour that are not larger: %i percent',
    (size, percentile) => {
      expect(distribution.percentile(size, AT_TEN)).toBe(percentile);
      expect(distribution.percentile(size, AT_TEN + 1_799_999)).toBe(percentile);
    },
  );

  test('stand in with the whole day where a half-hour had no trades', () => {
    expect(distribution.percentile(10, AT_NOON)).toBe(50);
    expect(distribution.percentile(100, AT_NOON)).toBe(85);
  });

  test('rank nothing where there were no trades at all', () => {
    expect(new SizeDistribution().percentile(100, AT_TEN)).toBeNull();
  });
});
