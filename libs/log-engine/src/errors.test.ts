import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ENGINE_ERRORS, EngineError } from './errors.ts';

test('docs/errors.md names every error with who acts, whether to retry and the mend, as the code does', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\w+) \| (yes|no) \| (.*) \|$/gm)];
  const documented = rows.map(([, code, actor, retry, mend]) => [code, { actor, retry: retry === 'yes', mend }]);
  expect(documented).toEqual(Object.entries(ENGINE_ERRORS));
});

test('an error carries its entry of the catalogue, and a better mend where the case at hand has one', () => {
  expect(new EngineError('folder-in-use', 'x')).toMatchObject(ENGINE_ERRORS['folder-in-use']);
  const better = new EngineError('folder-in-use', 'x', { mend: 'Wait.' });
  expect([better.mend, better.code]).toEqual(['Wait.', 'folder-in-use']);
});
