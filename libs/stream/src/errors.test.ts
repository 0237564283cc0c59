import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isRetriable, StreamError, type StreamErrorCode, streamErrors } from './errors.ts';

const codes = Object.keys(streamErrors) as StreamErrorCode[];

test('the page for readers tells the same codes, actors and retries as the catalogue', () => {
  const page = readFileSync(new URL('../../../docs/streams.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf('## Errors')).matchAll(/^\| (`.*`) \| (\w+).* \| (yes|no) \|$/gm);
  const told = new Map<string, { actor: string; retry: boolean }>();
  for (const [, names, actor, retry] of rows) {
    for (const name of names!.matchAll(/`([a-z-]+)`/g)) told.set(name[1]!, { actor: actor!, retry: retry === 'yes' });
  }
  const catalogue = codes.map((code) => [code, { actor: streamErrors[code].actor, retry: streamErrors[code].retry }]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(catalogue));
});

test('an error carries the mend of its code, or a better one', () => {
  expect(new StreamError('disconnected', 'gone').mend).toBe(streamErrors.disconnected.mend);
  expect(new StreamError('bad-setting', 'wrong', { mend: 'right' }).mend).toBe('right');
});

test('only errors of this library that pass by themselves are worth another run', () => {
  expect(codes.filter((code) => isRetriable(new StreamError(code, '')))).toEqual([
    'unreachable',
    'disconnected',
    'unavailable',
    'rebalanced',
  ]);
  expect(isRetriable(new Error('ECONNRESET'))).toBe(false);
});
