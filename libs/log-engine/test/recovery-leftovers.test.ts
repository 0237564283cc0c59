/** What an interrupted step leaves. Titles begin with the case's name in docs/formats/journal.md, Recovery. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newStagingId, stagingPath } from '../src/staging-folder.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { journalOf, withEngine, written } from './journal-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('no-journal: a folder without a journal, or with an empty one, is no volume until its first topic', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'tables-only/tables'), { recursive: true });
  mkdirSync(journalOf(dataDir, 'empty'), { recursive: true });
  await withEngine(dataDir, async (engine) => {
    expect(engine.volumes()).toEqual([]);
    for (const volume of ['tables-only', 'empty']) {
      await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
      await logOf(engine, `${volume}.t`).append(numberedBatch('a'), 'synced');
    }
  });
  await withEngine(dataDir, async (engine) => expect(engine.volumes()).toHaveLength(2));
});

test('half-written: a segment or index that was being written never counted and is removed', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 3);
  for (const name of ['0000000002.segment.tmp', '0000000001.index.tmp', '0000000001-001.segment.tmp']) {
    writeFileSync(join(journalOf(dataDir), name), 'half');
  }
  await withEngine(dataDir, async (engine) => expect(await valuesOf(logOf(engine, 't'))).toEqual(values));
  expect(readdirSync(journalOf(dataDir))).toEqual(['0000000001.segment']);
});

test('half-sealed: a segment with a successor whose index is not in place gets it', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const index = join(journalOf(dataDir), '0000000002.index');
  const original = readFileSync(index);
  rmSync(index);
  writeFileSync(`${index}.tmp`, original.subarray(0, 100));
  await withEngine(dataDir, async (engine) => {
    expect(engine.events.map(({ kind }) => kind)).toEqual(['index-rebuilt', 'recovered']);
    expect(await valuesOf(logOf(engine, 't'))).toEqual(values);
  });
  expect(readFileSync(index).equals(original)).toBe(true);
  expect(existsSync(`${index}.tmp`)).toBe(false);
});

test('half-removed: an index whose segment retention took away is removed', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 60);
  rmSync(join(journalOf(dataDir), '0000000001.segment'));
  await withEngine(dataDir, async (engine) => expect(logOf(engine, 't').logStartOffset).toBeGreaterThan(0n));
  expect(existsSync(join(journalOf(dataDir), '0000000001.index'))).toBe(false);
});

test('half-frozen: a snapshot that was being made or deleted is removed', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  mkdirSync(join(dataDir, '.snapshots/default@a.tmp/default'), { recursive: true });
  mkdirSync(join(dataDir, '.snapshots/default@b.0123456789abcdef.tmp'), { recursive: true });
  await withEngine(dataDir, async () => undefined);
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual([]);
});

test('half-deleted: what is left of a deleted volume is removed, and is no volume', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  cpSync(join(dataDir, 'default'), join(dataDir, '.trash-other-0123456789abcdef'), { recursive: true });
  await withEngine(dataDir, async (engine) => {
    expect(engine.volumes().map(({ name }) => name)).toEqual(['default']);
  });
  expect(readdirSync(dataDir)).not.toContain('.trash-other-0123456789abcdef');
});

test('half-staged: a staged volume whose maker is gone is removed', async () => {
  const dataDir = temporaryFolder();
  const path = stagingPath(dataDir, newStagingId());
  mkdirSync(join(path, 'model-x'), { recursive: true });
  await withEngine(dataDir, async (engine) => expect(engine.volumes()).toEqual([]));
  expect(existsSync(path)).toBe(false);
});

test('a data folder without anything to mend is opened without a word but that', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 60);
  const engine = await openEngine({ dataDir });
  expect(engine.events.map(({ kind }) => kind)).toEqual(['recovered']);
});
