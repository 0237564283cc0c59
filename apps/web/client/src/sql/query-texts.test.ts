import { expect, test } from 'vitest';
import { cellText, decimalsOf, resultText } from './query-texts.ts';

test('a result says how many rows it has, how long it took and what was read', () => {
  const read = { 'market.enriched': 47_999, history: 800 };
  expect(resultText({ sql: '', columns: [], rows: [['A'], ['B']], elapsedMs: 312, read })).toBe(
    '2 rows in 0.31 s; records read: 47,999 of market.enriched, 800 of history.',
  );
  expect(resultText({ sql: '', columns: [], rows: [['A']], elapsedMs: 0, read: {} })).toBe('1 row in 0.00 s.');
});

test('a cell is written for people: thousands apart, as many decimals as its column, unknown as a dash', () => {
  const texts = [1234567, -0.123456, null].map((cell) => cellText(cell, 4));
  expect(texts).toEqual(['1,234,567.0000', '−0.1235', '–']);
  expect(['ABC', true].map((cell) => cellText(cell, null))).toEqual(['ABC', 'true']);
  expect(cellText(1234567, 0)).toBe('1,234,567');
});

test('a column of numbers has the decimals that one of them needs, four at most; any other column has none', () => {
  const rows = [
    [1, 'A', null, 9.7, 1 / 3],
    [null, 2, null, 9.045, 1],
  ];
  expect([0, 1, 2, 3, 4].map((column) => decimalsOf(rows, column))).toEqual([0, null, null, 3, 4]);
});
