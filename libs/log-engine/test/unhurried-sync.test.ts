import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A disk that counts how often files are synced. */
function countingDisk(): Disk & { syncs: number } {
  const counted = (file: DiskFile): DiskFile => ({
    ...file,
    sync() {
      disk.syncs++;
      return file.sync();
    },
  });
  const disk = {
    ...nodeDisk,
    syncs: 0,
    create: async (path: string) => counted(await nodeDisk.create(path)),
    openForWriting: async (path: string) => counted(await nodeDisk.openForWriting(path)),
  };
  return disk;
}

async function openLog() {
  const dataDir = temporaryFolder();
  const disk = countingDisk();
  const engine = await openEngine({ dataDir, visibility: 'written' }, disk);
  await engine.createTopic('t', { partitionCount: 1 });
  disk.syncs = 0;
  return { dataDir, disk, engine, log: logOf(engine, 't') };
}

test('what nobody waits for to be durable is synced together, and soon', async () => {
  const { disk, log } = await openLog();
  for (let i = 0; i < 5; i++) await log.append(numberedBatch('v'), 'written');
  expect(disk.syncs).toBe(0);
  await vi.advanceTimersByTimeAsync(20);
  expect(disk.syncs).toBe(1);
});

test('whoever waits for durability hurries the sync, which covers what was written before', async () => {
  const { disk, log } = await openLog();
  await log.append(numberedBatch('early'), 'written');
  await log.append(numberedBatch('late'), 'synced');
  await vi.advanceTimersByTimeAsync(100);
  expect(disk.syncs).toBe(1);
});

test('a segment that ends is synced whole before the next one, whether or not anybody waits', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, visibility: 'written', segmentBytes: 1024 });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  for (let i = 0; i < 50; i++) await log.append(numberedBatch(`v${i}`), 'written');
  await engine.close();
  const reopened = await openEngine({ dataDir });
  expect(await valuesOf(logOf(reopened, 't'))).toHaveLength(50);
});

test('a journal that closes syncs what nobody waited for', async () => {
  const { dataDir, disk, engine, log } = await openLog();
  await log.append(numberedBatch('v'), 'written');
  await engine.close();
  expect(disk.syncs).toBeGreaterThan(0);
  const reopened = await openEngine({ dataDir });
  expect(await valuesOf(logOf(reopened, 't'))).toEqual(['v-0']);
});
