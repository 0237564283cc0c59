import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_LEVELS } from './event-levels.ts';

test('docs/errors.md says of every event of the engine how loud it is and what it means', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (error|warn|info) \| .+ \|$/gm)];
  expect(Object.fromEntries(rows.map(([, kind, level]) => [kind, level]))).toEqual(EVENT_LEVELS);
});
