import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogReader } from '../src/api.ts';
import { exportSnapshot } from '../src/snapshot-export.ts';
import { importSnapshot } from '../src/snapshot-import.ts';
import { verifySnapshot } from '../src/snapshot-verification.ts';
import { batchOf, numberedBatch } from './batches.ts';
import { logOf, openEngine, type ReadRecord, readAll, readerOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const TOPICS = ['v.compacted', 'v.plain'];

const contentOf = (reader: LogReader): Promise<ReadRecord[][]> =>
  Promise.all(TOPICS.map((topic) => readAll(readerOf(reader, topic))));

test('a snapshot of compacted topics, with its gaps, is whole: verified, moved and restored', async () => {
  const dataDir = temporaryFolder();
  const options = { segmentBytes: 2000, maintenanceIntervalMs: 0 };
  const engine = await openEngine({ ...options, dataDir });
  await engine.createTopic('v.compacted', { partitionCount: 1, settings: { 'cleanup.policy': 'compact' } });
  await engine.createTopic('v.plain', { partitionCount: 1 });
  for (let i = 0; i < 120; i++) {
    const values = [0, 1, 2].map((j) => ({ timestampMs: 1000 + i, key: `key-${(i + j) % 4}`, value: `${i}-${j}` }));
    await logOf(engine, 'v.compacted').append(batchOf(values), 'written');
    if (i % 5 === 0) await logOf(engine, 'v.plain').append(numberedBatch(`p${i}`), 'synced');
  }
  await engine.createSnapshot('v@sealed', {});
  await engine.maintain();
  await engine.createSnapshot('v@x', {});
  const names = readdirSync(join(dataDir, '.snapshots/v@x/v/journal'));
  expect(names.some((name) => /-\d{3}\.segment$/.test(name))).toBe(true);
  const before = await contentOf(engine);
  expect(before[0]!.length).toBeLessThan(100);
  expect(before[1]!.length).toBe(24);

  for (const name of ['v@sealed', 'v@x']) expect((await verifySnapshot(dataDir, name)).damages).toEqual([]);
  const path = join(dataDir, 'x.tar');
  await exportSnapshot(dataDir, 'v@x', path);
  const other = temporaryFolder();
  await importSnapshot(other, path);
  const restored = await openEngine({ ...options, dataDir: other });
  await restored.restoreVolume('v@x');
  expect(await contentOf(restored)).toEqual(before);
  await logOf(restored, 'v.compacted').append(numberedBatch('more'), 'synced');
  await restored.maintain();
  await restored.close();
  const again = await openEngine({ ...options, dataDir: other });
  expect((await contentOf(again))[1]).toEqual(before[1]);
  expect((await contentOf(again))[0]!.at(-1)?.value).toBe('more-0');
});
