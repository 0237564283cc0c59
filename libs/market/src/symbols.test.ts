import { expect, test } from 'vitest';
import { isSymbol, joinSymbol, splitSymbol } from './symbols.ts';

test('root and suffix join with a point and split at the first one', () => {
  expect(joinSymbol('BRK', 'A')).toBe('BRK.A');
  expect(joinSymbol('BAC', '')).toBe('BAC');
  expect(splitSymbol('BRK.A')).toEqual({ root: 'BRK', suffix: 'A' });
  expect(splitSymbol('BAC')).toEqual({ root: 'BAC', suffix: '' });
});

test('a symbol fits the fields of the layouts', () => {
  for (const symbol of ['A', 'BRK.A', 'ABCDEF.ABCDEFGHIJ']) expect(isSymbol(symbol), symbol).toBe(true);
  for (const symbol of ['', '.A', 'A.', 'ABCDEFG', 'A B', 'ABC.ABCDEFGHIJK', 'Ä'])
    expect(isSymbol(symbol), symbol).toBe(false);
});
