import { expect, test } from 'vitest';
import {
  byteSize,
  changePercent,
  clockTime,
  compact,
  count,
  dateText,
  delay,
  deviations,
  duration,
  gain,
  momentText,
  money,
  multiple,
  preciseTime,
  price,
  UNKNOWN,
  zoneName,
} from './format.ts';

const SUMMER_MS = Date.UTC(2013, 9, 8, 13, 41, 7, 5);
const WINTER_MS = Date.UTC(2014, 0, 8, 14, 41, 7);

test('a time is told in New York, daylight saving included, or in UTC', () => {
  expect(`${clockTime(SUMMER_MS, 'new-york')} ${zoneName(SUMMER_MS, 'new-york')}`).toBe('09:41:07 EDT');
  expect(`${clockTime(WINTER_MS, 'new-york')} ${zoneName(WINTER_MS, 'new-york')}`).toBe('09:41:07 EST');
  expect(`${preciseTime(SUMMER_MS, 'utc')} ${zoneName(SUMMER_MS, 'utc')}`).toBe('13:41:07.005 UTC');
  expect(clockTime(Date.UTC(2013, 9, 8, 4, 0, 0), 'new-york')).toBe('00:00:00');
  expect(dateText(SUMMER_MS, 'utc')).toBe('Tue, Oct 8, 2013');
});

test('a price has cents, and four decimals only where it has parts of a cent', () => {
  expect([price(103_300), price(103_325), price(12_345_600)]).toEqual(['10.33', '10.3325', '1,234.56']);
});

test('gains carry their sign, nought has none, and rounding to nought drops it', () => {
  expect([gain(12_345_000), gain(-5_000), gain(0), gain(-20)]).toEqual(['+1,234.50', '\u22120.50', '0.00', '0.00']);
  expect([changePercent(125), changePercent(-0.2), deviations(-1.26)]).toEqual(['+1.25%', '0.00%', '\u22121.3']);
  expect(money(-10_000)).toBe('\u22121.00');
});

test('what is not known is never written as zero', () => {
  const texts = [price(null), gain(null), money(null), count(null), compact(null), multiple(null), deviations(null)];
  expect(new Set(texts)).toEqual(new Set([UNKNOWN]));
  expect(count(0)).toBe('0');
});

test('large numbers are short, durations have one unit', () => {
  expect([compact(12_345), count(12_345), multiple(1.256)]).toEqual(['12.3K', '12,345', '1.26×']);
  expect([multiple(0), multiple(0.0019), multiple(0.006)]).toEqual(['0.00×', '<0.01×', '0.01×']);
  expect([delay(0.02), delay(0.34), delay(12), delay(200)]).toEqual(['under 0.1 s', '0.3 s', '12 s', '3 min']);
  expect([duration(12_300), duration(200_000), duration(8_000_000)]).toEqual(['12 s', '3 min', '2 h']);
});

test('a moment has its date, its time and its zone', () => {
  const timeMs = Date.UTC(2013, 9, 8, 13, 41, 7);
  expect(momentText(timeMs, 'new-york')).toBe('Tue, Oct 8, 2013, 09:41:07 EDT');
  expect(momentText(timeMs, 'utc')).toBe('Tue, Oct 8, 2013, 13:41:07 UTC');
});

test('sizes have the unit that suits them', () => {
  expect([0, 999, 1_000, 999_949, 4_213_001, 1_500_000_000].map(byteSize)).toEqual([
    ...['0 B', '999 B', '1.0 kB', '999.9 kB', '4.2 MB', '1.50 GB'],
  ]);
});
