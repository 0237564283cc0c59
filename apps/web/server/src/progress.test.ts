import { expect, test } from 'vitest';
import { countOf, lagOf, Rate } from './progress.ts';

const watermark = (partition: number, logStart: bigint, high: bigint) => ({ partition, logStart, high });

test('lag is what lies between the positions and the ends', () => {
  const watermarks = [watermark(0, 0n, 100n), watermark(1, 0n, 50n)];
  expect(
    lagOf(
      new Map([
        [0, 90n],
        [1, 50n],
      ]),
      watermarks,
    ),
  ).toBe(10);
});

test('a partition with records and no position makes the lag unknown, not zero', () => {
  expect(lagOf(new Map([[0, 100n]]), [watermark(0, 0n, 100n), watermark(1, 0n, 1n)])).toBeNull();
  expect(lagOf(new Map(), [])).toBeNull();
});

test('a partition that never held a record needs no position', () => {
  expect(lagOf(new Map([[0, 100n]]), [watermark(0, 0n, 100n), watermark(1, 0n, 0n)])).toBe(0);
});

test('records that retention took are not waited for', () => {
  expect(lagOf(new Map([[0, 10n]]), [watermark(0, 40n, 100n)])).toBe(60);
});

test('a rate is unknown until there are two samples', () => {
  const rate = new Rate();
  rate.sample(0, 0n);
  expect(rate.perSecond()).toBeNull();
  rate.sample(2_000, 500n);
  expect(rate.perSecond()).toBe(250);
});

test('a rate looks back as far as its window', () => {
  const rate = new Rate(5_000);
  for (let second = 0; second <= 20; second += 1)
    rate.sample(second * 1_000, BigInt(second < 10 ? 0 : (second - 10) * 100));
  expect(rate.perSecond()).toBe(100);
});

test('a count that falls begins anew, as the topic was made anew', () => {
  const rate = new Rate();
  rate.sample(0, 1_000n);
  rate.sample(1_000, 5n);
  expect(rate.perSecond()).toBeNull();
});

test('a topic has as many records as its ends say together', () => {
  expect(countOf([watermark(0, 5n, 10n), watermark(1, 0n, 3n)])).toBe(13n);
});
