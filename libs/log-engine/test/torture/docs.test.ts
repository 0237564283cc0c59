import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PAGE = readFileSync(fileURLToPath(new URL('../../../../docs/torture.md', import.meta.url)), 'utf8');
/** ``| promise | `file.test.ts`: title |`` */
const ROW = /^\| (.*?) ?\| `([^`]+\.test\.ts)`: (.+) \|$/;

const rows = PAGE.split('\n').flatMap((line) => {
  const found = ROW.exec(line);
  return found === null ? [] : [{ file: found[2]!, title: found[3]! }];
});

test('every promise and fault of docs/torture.md names a test', () => {
  const lines = PAGE.split('\n').filter((line) => line.startsWith('| ') && line.includes('.test.ts'));
  expect(rows.length).toBe(lines.length);
  expect(rows.length).toBeGreaterThan(30);
});

test.each(rows)('$file has the test that docs/torture.md names: $title', ({ file, title }) => {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  expect(existsSync(path), `there is no ${file}`).toBe(true);
  expect(readFileSync(path, 'utf8')).toContain(title);
});
