import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHistory, emptyHistory } from '@tickfold/history';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HistoryReader } from '../src/history-reader.ts';

let folder: string;
let path: string;
let reader: HistoryReader;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickfold-web-'));
  path = join(folder, 'history.duckdb');
  reader = new HistoryReader(path, 1);
});

afterEach(() => {
  reader.close();
  rmSync(folder, { recursive: true });
});

test('nothing is known while no history is published', async () => {
  expect(await reader.facts()).toBeUndefined();
  expect(await reader.earlierDays('BAC')).toEqual([]);
});

test('a history is closed when nobody asks, still tells its facts then, and opens again for a question', async () => {
  const feed = { identity: 'taq:x', description: 'taq:x', eventDate: '2013-08-06' as const };
  await buildHistory({ path, source: emptyHistory(feed) });
  expect(await reader.facts()).toMatchObject({ origin: 'none' });
  await expect.poll(() => reader.isOpen).toBe(false);
  expect(await reader.facts()).toMatchObject({ origin: 'none' });
  expect(reader.isOpen).toBe(false);
  expect(await reader.earlierDays('BAC')).toEqual([]);
});
