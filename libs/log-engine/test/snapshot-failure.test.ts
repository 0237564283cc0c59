import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { type DiskOperation, FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SEGMENT_BYTES = 2000;
const VALUES = Array.from({ length: 40 }, (_, i) => `v${i}-0`);

async function filled(volumeQuotaBytes?: number) {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const quota = volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes };
  const engine = await openEngine({ dataDir, segmentBytes: SEGMENT_BYTES, ...quota }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  for (let i = 0; i < VALUES.length; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  return { dataDir, disk, engine, log };
}

const journalOf = (dataDir: string): string[] => readdirSync(join(dataDir, 'v', 'journal'));

test.each(['EXDEV', 'EPERM', 'EMLINK'])('where a link fails with %s, files are copied', async (code) => {
  const { dataDir, disk, engine } = await filled();
  disk.code = code;
  disk.failing = 'link';
  await engine.createSnapshot('v@x', {});
  const name = join('v', 'journal', '0000000001.segment');
  const copy = statSync(join(dataDir, '.snapshots', 'v@x', name));
  expect(copy.nlink).toBe(1);
  expect(copy.size).toBe(statSync(join(dataDir, name)).size);
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(VALUES);
});

test('where links work, no byte of a segment is copied', async () => {
  const { dataDir, engine } = await filled();
  await engine.createSnapshot('v@x', {});
  const folder = join(dataDir, '.snapshots', 'v@x', 'v', 'journal');
  const names = readdirSync(folder);
  expect(names.length).toBeGreaterThan(4);
  expect(names.map((name) => statSync(join(folder, name)).nlink)).toEqual(names.map(() => 2));
});

const failures: [DiskOperation, string, string, string][] = [
  ['link', '0000000002', 'EIO', 'folder-unusable'],
  ['create', 'manifest.json', 'ENOSPC', 'disk-full'],
  ['write', 'checkpoint.json', 'ENOSPC', 'disk-full'],
  ['sync', 'SHA256SUMS', 'EIO', 'folder-unusable'],
  ['syncFolder', 'v@x.tmp/v/journal', 'EIO', 'folder-unusable'],
  ['rename', 'v@x', 'EIO', 'folder-unusable'],
];

test.each(failures)(
  'when %s of %s fails with %s, it is told and nothing stays',
  async (operation, path, errno, code) => {
    const { dataDir, disk, engine, log } = await filled();
    Object.assign(disk, { failing: operation, failingPath: path, code: errno });
    const failed = {
      code,
      message: expect.stringContaining(errno),
      mend: expect.stringContaining('nothing of it was kept'),
    };
    await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject(failed);
    expect(readdirSync(join(dataDir, '.snapshots'))).toEqual([]);
    disk.failing = undefined;
    await log.append(numberedBatch('more'), 'synced');
    await engine.createSnapshot('v@x', {});
    expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual([...VALUES, 'more-0']);
  },
);

test('when its name, given already, cannot be made durable, nor taken back for good, nothing is taken out of it yet', async () => {
  const { dataDir, disk, engine } = await filled();
  const { syncFolder } = disk;
  const failure = Object.assign(new Error('EIO: fsync'), { code: 'EIO', syscall: 'fsync' });
  disk.syncFolder = (path) => (path.endsWith('.snapshots') ? Promise.reject(failure) : syncFolder.call(disk, path));
  const failed = { code: 'folder-unusable', mend: expect.stringContaining('could not be removed') };
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject(failed);
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual(['v@x.tmp']);
  expect(readdirSync(join(dataDir, '.snapshots', 'v@x.tmp'))).toContain('manifest.json');
  disk.syncFolder = syncFolder;
  await engine.createSnapshot('v@x', {});
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual(['v@x']);
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(VALUES);
});

test('when what was written cannot be removed either, the first error is told, and the next attempt begins anew', async () => {
  const { dataDir, disk, engine } = await filled();
  Object.assign(disk, { failing: 'create', failingPath: 'manifest.json', code: 'ENOSPC' });
  const { removeFolder } = disk;
  disk.removeFolder = () => Promise.reject(new Error('EIO'));
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({
    code: 'disk-full',
    mend: expect.stringContaining('could not be removed'),
  });
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual(['v@x.tmp']);
  Object.assign(disk, { failing: undefined, removeFolder });
  await engine.createSnapshot('v@x', {});
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(VALUES);
});

test.each([
  ['link', '0000000002', 'folder-unusable'],
  ['rename', 'v@x', 'snapshot-exists'],
] as const)('EEXIST of a %s of %s is told as %s', async (failing, failingPath, code) => {
  const { disk, engine } = await filled();
  Object.assign(disk, { failing, failingPath, code: 'EEXIST' });
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({ code });
});

test('when neither a link nor a copy works, nothing stays', async () => {
  const { dataDir, disk, engine } = await filled();
  Object.assign(disk, { failing: 'link', failingPath: '0000000002', code: 'EXDEV' });
  disk.copy = (_, to) => Promise.reject(Object.assign(new Error(`ENOSPC: ${to}`), { code: 'ENOSPC', syscall: 'copy' }));
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({ code: 'disk-full' });
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual([]);
});

test('retention takes no segment away between the cut and its link, and catches up afterwards', async () => {
  const { dataDir, disk, engine, log } = await filled(16_000);
  const start = log.logStartOffset;
  let written = VALUES.length;
  disk.beforeLink = async () => {
    for (let i = 0; i < 40; i++) await log.append(numberedBatch(`v${written++}`), 'synced');
  };
  const [oldest] = journalOf(dataDir);
  await engine.createSnapshot('v@x', {});
  expect(log.logStartOffset).toBeGreaterThan(40n);
  const frozen = readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t');
  expect([frozen.logStartOffset, frozen.highWatermark]).toEqual([start, 40n]);
  expect(await valuesOf(frozen)).toEqual(VALUES);
  await engine.close();
  expect(journalOf(dataDir)).not.toContain(oldest);
  const bytes = journalOf(dataDir).reduce((sum, name) => sum + statSync(join(dataDir, 'v', 'journal', name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(16_000);
});

test.each(['write', 'sync'] as const)(
  'when the journal itself cannot be sealed for a failing %s, the volume stops',
  async (operation) => {
    const { dataDir, disk, engine } = await filled();
    Object.assign(disk, { failing: operation, failingPath: join('v', 'journal'), code: 'ENOSPC' });
    await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({ code: 'disk-full' });
    await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({ code: 'disk-full' });
    await engine.close();
    const again = await openEngine({ dataDir });
    expect(await valuesOf(logOf(again, 'v.t'))).toEqual(VALUES);
    await again.createSnapshot('v@x', {});
  },
);

test('closing the engine lets a snapshot that is being taken end first', async () => {
  const { dataDir, engine } = await filled();
  const taking = engine.createSnapshot('v@x', {});
  await engine.close();
  await taking;
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(VALUES);
  await expect(engine.createSnapshot('v@y', {})).rejects.toMatchObject({ code: 'volume-stopped' });
});
