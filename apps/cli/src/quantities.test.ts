import { expect, test } from 'vitest';
import { countOf, formatBytes, formatElapsed, formatWallClock } from './quantities.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [45_600_000, '45.6 MB'],
  [2_147_483_648, '2.1 GB'],
  [3e15, '3000.0 TB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a number stands with the word that fits it', () => {
  expect([countOf(1, 'fill'), countOf(0, 'fill'), countOf(12_345, 'fill')]).toEqual([
    '1 fill',
    '0 fills',
    '12,345 fills',
  ]);
});

test.each([
  [940, '0.9 s'],
  [59_999, '60.0 s'],
  [185_000, '3 min 05 s'],
])('%d ms read as %s', (elapsedMs, text) => {
  expect(formatElapsed(elapsedMs)).toBe(text);
});

test('a wall-clock time says its zone, also in summer', () => {
  const noon = Date.UTC(2026, 6, 1, 12);
  expect(formatWallClock(noon, 'UTC')).toBe('2026-07-01 12:00:00 UTC');
  expect(formatWallClock(noon, 'America/New_York')).toBe('2026-07-01 08:00:00 EDT');
});

test('midnight is hour 0 of the new day', () => {
  expect(formatWallClock(Date.UTC(2026, 6, 1), 'UTC')).toBe('2026-07-01 00:00:00 UTC');
});
