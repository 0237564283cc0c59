import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type ConditionLetter,
  quoteConditionLetters,
  quoteConditionOfFlags,
  saleConditionOfFlags,
  saleConditionPlaces,
} from './lean-conditions.ts';

const document = readFileSync(new URL('../../../../docs/formats/ticks.md', import.meta.url), 'utf8');

function rowsBelow(heading: string): string[] {
  const lines = document.split(heading)[1]?.trimStart().split('\n') ?? [];
  return lines.slice(2, lines.indexOf(''));
}

const row = ({ bit, letter, name }: ConditionLetter) => `| ${bit} | \`${letter}\` | ${name} |`;

test('docs/formats/ticks.md shows the same letters as the code', () => {
  const sale = Object.entries(saleConditionPlaces).flatMap(([place, letters]) =>
    letters.map((each) => `| ${place} ${row(each)}`),
  );
  expect(rowsBelow('flags 29 (trade-through exempt) and 30 are not shown.\n')).toEqual(sale);
  expect(rowsBelow('Quote conditions show up to four letters, in this order:\n')).toEqual(
    quoteConditionLetters.map(row),
  );
});

test('each flag of a sale is in one place, except 29 and 30, which are in none', () => {
  const bits = Object.values(saleConditionPlaces).flatMap((letters) => letters.map(({ bit }) => bit));
  const expected = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => bit !== 29 && bit !== 30);
  expect(bits.toSorted((a, b) => a - b)).toEqual(expected);
});

test('the highest flag is no sign', () => {
  expect(saleConditionOfFlags(0x8000_0000)).toBe('   I');
  expect(saleConditionOfFlags(0x6000_0000)).toBe('');
});

test('extended hours out of sequence are U, either alone T or Z', () => {
  expect(saleConditionOfFlags(1 << 14)).toBe('  Z');
  expect(saleConditionOfFlags(1 << 13)).toBe('  T');
  expect(saleConditionOfFlags((1 << 13) | (1 << 14))).toBe('  U');
});

test('a quote shows at most four letters', () => {
  expect(quoteConditionOfFlags(1)).toBe('R');
  expect(quoteConditionOfFlags(0x7f_ffff)).toBe('OCLN');
});
