import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEngine } from '../src/api.ts';
import { exportSnapshot } from '../src/snapshot-export.ts';
import { importSnapshot } from '../src/snapshot-import.ts';
import { stageSnapshot } from '../src/snapshot-restore.ts';
import { verifySnapshot } from '../src/snapshot-verification.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { isStopped, stoppingDisk } from './stopping-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const VALUES = Array.from({ length: 60 }, (_, i) => `v${i}-0`);
const OFFSET = { topic: 'v.t', partition: 0, offset: 12n, leaderEpoch: 0, metadata: 'm' };

/** An engine with a snapshot of `v`, whose log begins behind 0, and `w`. @param volumeQuotaBytes of that engine */
async function frozen(volumeQuotaBytes = 100_000): Promise<{ dataDir: string; engine: LogEngine; start: bigint }> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 2000, volumeQuotaBytes: 12_000, maintenanceIntervalMs: 0 });
  for (const volume of ['v', 'w']) await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
  for (let i = 0; i < VALUES.length; i++) await logOf(engine, 'v.t').append(numberedBatch(`v${i}`), 'written');
  await logOf(engine, 'w.t').append(numberedBatch('w'), 'synced');
  await engine.commitOffsets('v.g', [OFFSET]);
  writeFileSync(join(dataDir, 'draft'), 'part');
  await engine.publishFile('v', 'tables/part', join(dataDir, 'draft'), { rows: 1 });
  mkdirSync(join(dataDir, 'v/files/deep'), { recursive: true });
  writeFileSync(join(dataDir, 'v/files/deep/note'), 'note');
  const start = logOf(engine, 'v.t').logStartOffset;
  await engine.close();
  const roomy = await openEngine({ dataDir, segmentBytes: 2000, volumeQuotaBytes, maintenanceIntervalMs: 0 });
  await roomy.createSnapshot('v@x', {}, { volumes: ['w'] });
  return { dataDir, engine: roomy, start };
}

async function expectRestored(engine: LogEngine, dataDir: string, start: bigint): Promise<void> {
  const log = logOf(engine, 'v.t');
  expect([log.logStartOffset, log.highWatermark]).toEqual([start, 60n]);
  expect(await valuesOf(log)).toEqual(VALUES.slice(Number(start)));
  expect(engine.committedOffsets('v.g')).toEqual([OFFSET]);
  expect(engine.files('v')).toMatchObject([{ path: 'tables/part', sizeBytes: 4, details: { rows: 1 } }]);
  expect(readFileSync(join(dataDir, 'v/tables/part'), 'utf8')).toBe('part');
  expect(readFileSync(join(dataDir, 'v/files/deep/note'), 'utf8')).toBe('note');
}

test('a deleted volume comes back from its snapshot with offsets, groups, tables and files, and goes on', async () => {
  const { dataDir, engine, start } = await frozen();
  const before = engine.topic('v.t');
  await logOf(engine, 'v.t').append(numberedBatch('lost'), 'synced');
  await engine.deleteVolume('v');
  expect(await engine.restoreVolume('v@x')).toMatchObject({ name: 'v', stopped: undefined });
  expect(engine.topic('v.t')).toEqual(before);
  await expectRestored(engine, dataDir, start);
  await logOf(engine, 'v.t').append(numberedBatch('more'), 'synced');
  expect((await logOf(engine, 'v.t').append(numberedBatch('more'), 'synced')).baseOffset).toBe(61n);
  await engine.createTopic('v.u', { partitionCount: 1 });
  await engine.close();
  const again = await openEngine({ dataDir, segmentBytes: 2000 });
  expect((await valuesOf(logOf(again, 'v.t'))).slice(-3)).toEqual(['v59-0', 'more-0', 'more-0']);
  expect(again.topic('v.u')).toBeDefined();
  expect(readdirSync(join(dataDir, '.staging'))).toEqual([]);
});

test('what goes on in a restored volume never reaches the snapshot, and the other way round', async () => {
  const { dataDir, engine, start } = await frozen(24_000);
  await engine.deleteVolume('v');
  await engine.restoreVolume('v@x');
  for (let i = 0; i < 200; i++) await logOf(engine, 'v.t').append(numberedBatch(`more${i}`), 'written');
  expect(logOf(engine, 'v.t').logStartOffset).toBeGreaterThan(60n);
  await engine.removeFile('v', 'tables/part');
  expect(await verifySnapshot(dataDir, 'v@x')).toMatchObject({ damages: [] });
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(VALUES.slice(Number(start)));
  await engine.createSnapshot('v@y', {});
  expect(await verifySnapshot(dataDir, 'v@y')).toMatchObject({ damages: [] });
  rmSync(join(dataDir, '.snapshots/v@x'), { recursive: true });
  expect((await valuesOf(logOf(engine, 'v.t'))).at(-1)).toBe('more199-0');
});

test('of a snapshot of several volumes each can be restored for itself', async () => {
  const { engine } = await frozen();
  await engine.deleteVolume('w');
  await engine.restoreVolume('v@x', 'w');
  expect(await valuesOf(logOf(engine, 'w.t'))).toEqual(['w-0']);
});

test('restoring links: no byte of a segment is copied', async () => {
  const { dataDir, engine } = await frozen();
  await engine.deleteVolume('v');
  await engine.restoreVolume('v@x');
  const folder = join(dataDir, '.snapshots/v@x/v/journal');
  expect(readdirSync(folder).map((name) => statSync(join(folder, name)).nlink)).toEqual(
    readdirSync(folder).map(() => 2),
  );
});

test('a volume that is there, an unknown snapshot or volume, a quota that is too small: each is refused', async () => {
  const { dataDir, engine } = await frozen();
  const staged = (): string[] => readdirSync(join(dataDir, '.staging'));
  await expect(engine.restoreVolume('v@x')).rejects.toMatchObject({ code: 'volume-exists' });
  await expect(engine.restoreVolume('v@no')).rejects.toMatchObject({ code: 'unknown-snapshot' });
  await expect(engine.restoreVolume('v')).rejects.toMatchObject({ code: 'illegal-name' });
  await expect(engine.restoreVolume('v@x', 'u')).rejects.toMatchObject({
    code: 'unknown-volume',
    message: 'snapshot v@x holds no volume u; it holds: v, w',
  });
  await engine.deleteVolume('v');
  await engine.close();
  const small = await openEngine({ dataDir, volumeQuotaBytes: 8000 });
  await expect(small.restoreVolume('v@x')).rejects.toMatchObject({ code: 'volume-full' });
  expect([staged(), existsSync(join(dataDir, 'v'))]).toEqual([[], false]);
});

test('a volume that was at its quota comes back, less its oldest segment where that passes the quota', async () => {
  const { engine } = await frozen(12_000);
  await engine.deleteVolume('v');
  await engine.restoreVolume('v@x');
  const log = logOf(engine, 'v.t');
  expect(log.highWatermark).toBe(60n);
  expect(await valuesOf(log)).toEqual(VALUES.slice(Number(log.logStartOffset)));
});

test('a damaged snapshot is not restored', async () => {
  const { dataDir, engine } = await frozen();
  await engine.deleteVolume('v');
  const folder = join(dataDir, '.snapshots/v@x/v/journal');
  const [first] = readdirSync(folder).filter((name) => name.endsWith('.segment'));
  rmSync(join(folder, first!));
  await expect(engine.restoreVolume('v@x')).rejects.toMatchObject({ code: 'snapshot-damaged' });
  expect([readdirSync(join(dataDir, '.staging')), existsSync(join(dataDir, 'v'))]).toEqual([[], false]);
});

test('a volume moves to another data folder by export, import and restore', async () => {
  const { dataDir, start } = await frozen();
  const path = join(dataDir, 'x.tar');
  await exportSnapshot(dataDir, 'v@x', path);
  const other = temporaryFolder();
  const engine = await openEngine({ dataDir: other });
  await importSnapshot(other, path);
  await engine.restoreVolume('v@x');
  await expectRestored(engine, other, start);
});

test('a process without ownership makes the volume, and the owner adopts it', async () => {
  const { dataDir, engine, start } = await frozen();
  await engine.deleteVolume('v');
  const restored = await stageSnapshot(dataDir, 'v@x');
  expect(restored.volume).toBe('v');
  await engine.adoptVolume(restored.id);
  await restored.discard();
  await expectRestored(engine, dataDir, start);
});

test('a crash at any call of a restore leaves the volume whole or nothing of it', { timeout: 120_000 }, async () => {
  const { dataDir, engine, start } = await frozen();
  await engine.deleteVolume('v');
  await engine.close();
  const counted = stoppingDisk(Number.POSITIVE_INFINITY);
  const restored = await openEngine({ dataDir }, counted.disk);
  const opened = counted.calls();
  await restored.restoreVolume('v@x');
  const all = counted.calls();
  expect(all - opened).toBeGreaterThan(20);
  await restored.deleteVolume('v');
  await restored.close();
  for (let stopAt = opened; stopAt < all; stopAt += 1) {
    const stopping = await openEngine({ dataDir }, stoppingDisk(stopAt).disk);
    await stopping.restoreVolume('v@x').catch((error) => {
      if (!isStopped(error)) throw error;
    });
    await stopping.close().catch(() => undefined);
    const after = await openEngine({ dataDir });
    const isThere = after.volumes().some(({ name }) => name === 'v');
    if (!isThere) {
      expect(existsSync(join(dataDir, 'v'))).toBe(false);
      await after.restoreVolume('v@x');
    }
    await expectRestored(after, dataDir, start);
    expect(readdirSync(join(dataDir, '.staging'))).toEqual([]);
    await after.deleteVolume('v');
    await after.close();
  }
});
