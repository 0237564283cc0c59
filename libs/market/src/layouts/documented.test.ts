import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Field, offerFields, QUOTE_LINE_LENGTH, quoteFields, TRADE_LINE_LENGTH, tradeFields } from './fields.ts';

const document = readFileSync(new URL('../../../../docs/formats/ticks.md', import.meta.url), 'utf8');

function documentedFields(heading: string): string[] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section.split('\n').filter((line) => /^\| \d/.test(line));
}

function tableOf(fields: Record<string, Field>): string[] {
  return Object.entries(fields).map(([name, { start, end, content }]) => {
    const bytes = end - start === 1 ? `${start}` : `${start}-${end - 1}`;
    return `| ${bytes} | ${name} | ${content} |`;
  });
}

test('docs/formats/ticks.md shows the same bytes as the code', () => {
  expect(documentedFields('trade')).toEqual(tableOf(tradeFields));
  expect(documentedFields('quote')).toEqual(tableOf(quoteFields));
  expect(documentedFields('offer')).toEqual(tableOf(offerFields).slice(Object.keys(tradeFields).length));
});

test('the fields of a line follow on one another without gap or overlap', () => {
  for (const fields of [tradeFields, quoteFields, offerFields]) {
    let next = 0;
    for (const { start, end } of Object.values<Field>(fields)) {
      expect(start).toBe(next);
      next = end;
    }
  }
  expect([TRADE_LINE_LENGTH, QUOTE_LINE_LENGTH]).toEqual([71, 86]);
});
