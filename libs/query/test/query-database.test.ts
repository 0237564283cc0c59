import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { buildHistory, emptyHistory, historyPath } from '@tickfold/history';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultLimits } from '../src/limits.ts';
import { openQueryDatabase, prepareSelect } from '../src/query-database.ts';

let folder: string;
let connection: DuckDBConnection;
let close: () => void;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tickfold-query's-"));
  const path = historyPath(folder);
  const feed = { identity: 'test', description: 'test', eventDate: '2025-12-02' };
  await buildHistory({ path, source: emptyHistory(feed) });
  ({ connection, close } = await openQueryDatabase(path, defaultLimits));
});

afterAll(() => {
  close();
  rmSync(folder, { recursive: true });
});

test('a SELECT over history is run', async () => {
  const statement = await prepareSelect(connection, 'SELECT count(*)::INTEGER FROM history.trades');
  expect((await statement.runAndReadAll()).getRows()).toEqual([[0]]);
});

test.each([
  ['write a file', () => `COPY (SELECT 1) TO ${file('out.csv')}`],
  ['are two', () => 'SELECT 1; SELECT 2'],
  ['change a setting', () => "SET memory_limit = '9GB'"],
  ['attach a file', () => `ATTACH ${file('new.duckdb')}`],
  ['change history', () => 'DELETE FROM history.trades'],
])('statements that %s are not run', async (_what, sql) => {
  await expect(prepareSelect(connection, sql())).rejects.toThrow(/Only one statement that reads|disabled/);
});

test('behind that, the database itself lets nothing through: no other file, no setting, no change of history', async () => {
  writeFileSync(join(folder, 'other.csv'), 'a\n1\n');
  await expect(connection.run(`SELECT * FROM read_csv(${file('other.csv')})`)).rejects.toThrow(/disabled/);
  await expect(connection.run(`COPY (SELECT 1) TO ${file('out.csv')}`)).rejects.toThrow(/disabled/);
  await expect(connection.run(`ATTACH ${file('new.duckdb')}`)).rejects.toThrow(/disabled/);
  await expect(connection.run('SET enable_external_access = true')).rejects.toThrow();
  await expect(connection.run("SET memory_limit = '9GB'")).rejects.toThrow(/locked/);
  await expect(connection.run('DELETE FROM history.trades')).rejects.toThrow(/read-only/);
  expect(existsSync(join(folder, 'out.csv'))).toBe(false);
});

test('a statement that outgrows the memory fails, and spills nothing to disk', async () => {
  const statement = await prepareSelect(connection, 'SELECT list(range) FROM range(1_000_000_000)');
  await expect(statement.runAndReadAll()).rejects.toThrow(/memory/i);
});

/** As SQL writes its path. */
function file(name: string): string {
  return `'${join(folder, name).replaceAll("'", "''")}'`;
}
