import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/formats/journal.md', import.meta.url), 'utf8');
const table = page.split(/^## /m).find((section) => section.startsWith('Recovery\n')) ?? '';
const rows = [...table.matchAll(/^\| (\d+) \| `([a-z-]+)` \|/gm)].map((row) => ({
  number: Number(row[1]),
  name: row[2]!,
}));

/** The names of cases that titles of tests begin with: `name: …`, `name, name: …`; of `test.each` the first column. */
function namesInTitles(): Set<string> {
  const names = new Set<string>();
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))) {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    for (const [, list] of source.matchAll(/^test(?:\.each\([^)]*\))?\(\s*['"`]([a-z-]+(?:, [a-z-]+)*): /gm)) {
      for (const name of list!.split(', ')) names.add(name);
    }
    if (source.includes("('%s: ")) for (const [, name] of source.matchAll(/^ {2}\['([a-z-]+)', /gm)) names.add(name!);
  }
  return names;
}

test('the cases of recovery are numbered from 1 on, each with a name of its own', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

test.each(rows)('case $number, $name, has a test whose title begins with its name', ({ name }) => {
  expect(namesInTitles()).toContain(name);
});
