import { expect, test } from 'vitest';
import { cellText, isNumeric, resultText } from './query-texts.ts';

test('a result says how many rows it has, how long it took and what was read', () => {
  const read = { 'market.enriched': 47_999, history: 800 };
  expect(resultText({ sql: '', columns: [], rows: [['A'], ['B']], elapsedMs: 312, read })).toBe(
    '2 rows in 0.31 s; records read: 47,999 of market.enriched, 800 of history.',
  );
  expect(resultText({ sql: '', columns: [], rows: [['A']], elapsedMs: 0, read: {} })).toBe('1 row in 0.00 s.');
});

test('a cell is written for people: thousands apart, four decimals, unknown as a dash', () => {
  expect([1234567, -0.123456, 'ABC', true, null].map(cellText)).toEqual(['1,234,567', '−0.1235', 'ABC', 'true', '–']);
});

test('a column is numeric when each of its values is a number, and it has one', () => {
  const rows = [
    [1, 'A', null, null],
    [null, 2, null, 3],
  ];
  expect([0, 1, 2, 3].map((column) => isNumeric(rows, column))).toEqual([true, false, false, true]);
});
