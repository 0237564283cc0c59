import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FRAME_TYPES } from './frame.ts';
import { FORMAT_VERSION, LAYOUTS, SEGMENT_MAGIC } from './layout.ts';

const document = readFileSync(new URL('../../../docs/formats/journal.md', import.meta.url), 'utf8');

/** The rows of the table under a heading, as cells. */
function tableUnder(heading: string): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test.each(LAYOUTS)(
  'the document gives position, type and name of every field of the $title as the code does',
  (layout) => {
    const documented = tableUnder(layout.title).map(([at, type, name]) => ({ at: Number(at), type, name }));
    expect(documented).toEqual(layout.fields.map(({ at, type, name }) => ({ at, type, name })));
  },
);

test.each(LAYOUTS)('the document gives the size of the $title as the code does', (layout) => {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${layout.title}\n`));
  expect(section).toMatch(new RegExp(`^${layout.sizeBytes} bytes[.,]`, 'm'));
});

test('the document names the magic, the format version and the frame types of the code', () => {
  const meaningOf = (heading: string, field: string) => tableUnder(heading).find((row) => row[2] === field)?.[3];
  expect(meaningOf('Segment header', 'magic')).toBe(`\`${SEGMENT_MAGIC}\``);
  expect(meaningOf('Segment header', 'formatVersion')).toBe(String(FORMAT_VERSION));
  const types = Object.entries(FRAME_TYPES).map(([name, type]) => `${type} ${name}`);
  expect(meaningOf('Frame header', 'type')).toBe(types.join(', '));
});

test('every structure with 64-bit fields has them on multiples of 8, and ends on one', () => {
  for (const layout of LAYOUTS) {
    expect(layout.sizeBytes % 8, layout.title).toBe(0);
    for (const field of layout.fields) if (field.type === 'i64') expect(field.at % 8, field.name).toBe(0);
  }
});
