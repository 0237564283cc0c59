import { expect, test } from 'vitest';
import { type Column, table } from './table.ts';

const columns: Column<[string, string]>[] = [
  { title: 'Name', value: ([name]) => name },
  { title: 'Size', value: ([, size]) => size, align: 'right' },
];

test('columns stand under their titles without lines around them', () => {
  expect(
    table(
      [
        ['market', '12'],
        ['x', '3,456'],
      ],
      columns,
    ),
  ).toBe(['Name     Size', 'market     12', 'x       3,456'].join('\n'));
});

test('no line ends in spaces', () => {
  const text = table([['x', '']], [...columns].reverse());
  expect(text).not.toMatch(/ $/m);
});

test('a text longer than its column is broken between words, and loses none', () => {
  const words = 'closes when the price has come back to the average that it had left';
  const [title, ...lines] = table([[words]], [{ title: 'What', value: ([text]) => text ?? '', maxWidth: 20 }]).split(
    '\n',
  );
  expect(title).toBe('What');
  expect(lines.every((line) => line.length <= 20)).toBe(true);
  expect(lines.join(' ')).toBe(words);
});
