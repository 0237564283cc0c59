import { expect, test, vi } from 'vitest';
import type { EngineOptions, LogEngine } from '../src/api.ts';
import { numberedBatch, producedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const QUOTA = 24_000;
const SEGMENT_BYTES = 3000;

async function engineWith(options: Partial<EngineOptions>): Promise<LogEngine> {
  const engine = await openEngine({
    dataDir: temporaryFolder(),
    segmentBytes: SEGMENT_BYTES,
    volumeQuotaBytes: QUOTA,
    maintenanceIntervalMs: 0,
    ...options,
  });
  await engine.createTopic('compacted', { partitionCount: 1, settings: { 'cleanup.policy': 'compact' } });
  await engine.createTopic('plain', { partitionCount: 1 });
  return engine;
}

const offsetOf = (topic: string) => ({ topic, partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' });

/** Appends until that is refused; gives the error. */
async function fill(engine: LogEngine, topic: string): Promise<unknown> {
  const first = logOf(engine, topic).logEndOffset;
  for (let i = 0; i < 2000; i++) {
    try {
      await logOf(engine, topic).append(numberedBatch(`${topic}-${first}-${i}`), 'synced');
    } catch (error) {
      return error;
    }
    expect(engine.volumes()[0]!.sizeBytes).toBeLessThanOrEqual(QUOTA + SEGMENT_BYTES);
  }
  return undefined;
}

test('a volume full of what compacted topics keep refuses data, but not group offsets and deletions, which make room', async () => {
  const engine = await engineWith({});
  const first = await fill(engine, 'compacted');
  expect(first).toMatchObject({ code: 'volume-full', retry: true });
  // Each round may still find a little room; then one finds none.
  let last = first;
  for (let round = 0; round < 10 && (last as { retry: boolean }).retry; round++) {
    await engine.maintain();
    last = await fill(engine, 'compacted');
  }
  expect(last).toMatchObject({ code: 'volume-full', retry: false, message: expect.stringContaining('compacted') });
  const before = (await valuesOf(logOf(engine, 'compacted'))).length;
  await engine.commitOffsets('g', [offsetOf('compacted')]);
  await engine.createTopic('another', { partitionCount: 1 });
  expect(before).toBeGreaterThan(80);
  await logOf(engine, 'compacted').deleteRecordsBefore(50n);
  await engine.maintain();
  await expect(logOf(engine, 'plain').append(numberedBatch('again'), 'synced')).resolves.toBeDefined();
});

test('data that may go makes room for data that comes, however little a compacted topic leaves', async () => {
  const engine = await engineWith({});
  await fill(engine, 'compacted');
  await logOf(engine, 'compacted').deleteRecordsBefore(40n);
  await engine.maintain();
  let refusals = 0;
  for (let i = 0; i < 300; i++) {
    const appended = await logOf(engine, 'plain')
      .append(numberedBatch(`p${i}`, 2), 'synced')
      .catch((error) => error);
    if (appended instanceof Error) {
      expect(appended).toMatchObject({ code: 'volume-full', retry: true });
      refusals++;
      await engine.maintain();
    }
  }
  expect(refusals).toBeLessThan(150);
  expect(logOf(engine, 'compacted').logStartOffset).toBe(40n);
  expect(await valuesOf(logOf(engine, 'plain'))).toContain('p299-1');
});

test('a quota that ordinary topics reach refuses nobody, however many write at once', async () => {
  const engine = await engineWith({});
  const appends = Array.from({ length: 600 }, (_, i) =>
    logOf(engine, 'plain').append(numberedBatch(`p${i}`, 3), 'synced'),
  );
  await Promise.all(appends);
  expect(engine.volumes()[0]!.sizeBytes).toBeLessThanOrEqual(QUOTA + SEGMENT_BYTES);
  expect((await valuesOf(logOf(engine, 'plain'))).at(-1)).toBe('p599-2');
});

test('closing waits for the turn of those that wait for room', async () => {
  const dataDir = temporaryFolder();
  const engine = await engineWith({ dataDir });
  const appends = Array.from({ length: 300 }, (_, i) =>
    logOf(engine, 'plain').append(numberedBatch(`p${i}`, 3), 'synced'),
  );
  await Promise.all([...appends, engine.close()]);
  const reopened = await openEngine({ dataDir, volumeQuotaBytes: QUOTA });
  expect(logOf(reopened, 'plain').logEndOffset).toBe(900n);
});

test('below the reserve no data is taken, offsets and deletions are; it is told once, and again when there is room', async () => {
  const disk = new FailingDisk();
  let freeBytes = 2000;
  disk.freeBytes = async () => freeBytes;
  const events: string[] = [];
  const onEvent: EngineOptions['onEvent'] = ({ kind }) => events.push(kind);
  const engine = await engineWith({ disk, reserveBytes: 1000, onEvent });
  await logOf(engine, 'plain').append(numberedBatch('a'), 'synced');
  freeBytes = 999;
  await engine.maintain();
  await engine.maintain();
  const refused = logOf(engine, 'plain').append(numberedBatch('b'), 'synced');
  await expect(refused).rejects.toMatchObject({ code: 'disk-full', retry: true });
  await engine.commitOffsets('g', [offsetOf('plain')]);
  await logOf(engine, 'plain').deleteRecordsBefore(-1n);
  expect(engine.volumes()[0]!.stopped).toBeUndefined();
  freeBytes = 1000;
  await engine.maintain();
  await expect(logOf(engine, 'plain').append(numberedBatch('c'), 'synced')).resolves.toBeDefined();
  expect(events.filter((kind) => kind.startsWith('disk-'))).toEqual(['disk-low', 'disk-roomy']);
});

test('a batch that comes a second time is answered where it lies, though there is no room for more', async () => {
  const disk = new FailingDisk();
  let freeBytes = 2000;
  disk.freeBytes = async () => freeBytes;
  const engine = await engineWith({ disk, reserveBytes: 1000 });
  const batch = producedBatch('a', await engine.openProducer(), 0);
  const { baseOffset } = await logOf(engine, 'plain').append(batch, 'synced');
  freeBytes = 999;
  await engine.maintain();
  const again = logOf(engine, 'plain').append(batch, 'synced');
  await expect(again).resolves.toMatchObject({ baseOffset, isDuplicate: true });
});

test('the disk is looked at beside the writes, not only by maintenance', async () => {
  const disk = new FailingDisk();
  let looks = 0;
  disk.freeBytes = async () => (++looks > 1 ? 0 : Number.POSITIVE_INFINITY);
  const clock = { nowMs: 1_700_000_000_000 };
  const engine = await engineWith({ disk, reserveBytes: 1, clock: () => clock.nowMs });
  const log = logOf(engine, 'plain');
  await log.append(numberedBatch('a'), 'synced');
  expect(looks).toBe(1);
  clock.nowMs += 100;
  await log.append(numberedBatch('b'), 'synced');
  await expect(log.append(numberedBatch('c'), 'synced')).rejects.toMatchObject({ code: 'disk-full' });
});

test('a writer that is faster than the looks is refused before it has used up the reserve', async () => {
  const disk = new FailingDisk();
  let answer: ((freeBytes: number) => void) | undefined;
  const second = new Promise<number>((resolve) => {
    answer = resolve;
  });
  let looks = 0;
  disk.freeBytes = () => (++looks > 1 ? second : Promise.resolve(10_000));
  const engine = await engineWith({ disk, reserveBytes: 2000, clock: () => 1_700_000_000_000 });
  const log = logOf(engine, 'plain');
  await expect(fill(engine, 'plain')).resolves.toMatchObject({ code: 'disk-full' });
  expect(log.sizeBytes).toBeGreaterThan(4000);
  expect(log.sizeBytes).toBeLessThan(8000);
  await engine.commitOffsets('g', [offsetOf('plain')]);
  answer!(20_000);
  await vi.waitFor(() => log.append(numberedBatch('later'), 'synced'));
});

test('a disk that does not tell its room takes data, and that is told once', async () => {
  const disk = new FailingDisk();
  disk.freeBytes = () => Promise.reject(new Error('no such call'));
  const kinds: string[] = [];
  const engine = await engineWith({ disk, onEvent: ({ kind }) => kinds.push(kind) });
  await engine.maintain();
  await expect(logOf(engine, 'plain').append(numberedBatch('a'), 'synced')).resolves.toBeDefined();
  expect(kinds.filter((kind) => kind === 'maintenance-failed')).toHaveLength(1);
});
