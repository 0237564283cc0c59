import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EngineOptions, PartitionLog } from '../src/api.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readAll, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const MINUTE_MS = 60_000;

/** A clock that stands until it is turned. */
class TurnedClock {
  nowMs = 1_700_000_000_000;
  readonly read = (): number => this.nowMs;
}

const small = (more: Partial<EngineOptions>): EngineOptions => ({
  dataDir: temporaryFolder(),
  segmentBytes: 2000,
  maintenanceIntervalMs: 0,
  ...more,
});

function segmentsOn(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'default', 'journal')).filter((name) => name.endsWith('.segment'));
}

async function appendMany(log: PartitionLog, label: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await log.append(numberedBatch(`${label}${i}`), 'synced');
}

test('records that were deleted up to an offset stay gone after a restart, and the rest is read', async () => {
  const options = small({});
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await appendMany(log, 'v', 50);
  await expect(log.deleteRecordsBefore(30n)).resolves.toBe(30n);
  await expect(log.deleteRecordsBefore(7n)).resolves.toBe(30n);
  expect(log.logStartOffset).toBe(30n);
  await expect(log.read(29n, 100)).rejects.toMatchObject({ code: 'offset-out-of-range' });
  await engine.close();
  const reopened = await openEngine(options);
  expect(logOf(reopened, 't').logStartOffset).toBe(30n);
  expect((await valuesOf(logOf(reopened, 't')))[0]).toBe('v30-0');
});

test('deleting up to -1 empties a log, whose segments are then removed, and its offsets go on', async () => {
  const options = small({});
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await appendMany(log, 'v', 50);
  expect(segmentsOn(options.dataDir).length).toBeGreaterThan(2);
  await expect(log.deleteRecordsBefore(-1n)).resolves.toBe(50n);
  await engine.maintain();
  await engine.close();
  expect(segmentsOn(options.dataDir)).toHaveLength(1);
  const reopened = await openEngine(options);
  const again = logOf(reopened, 't');
  expect([again.logStartOffset, again.highWatermark, again.sizeBytes]).toEqual([50n, 50n, 0]);
  await expect(again.append(numberedBatch('next'), 'synced')).resolves.toMatchObject({ baseOffset: 50n });
});

test.each([-2n, 4n])('records cannot be deleted up to %s of a log that ends at 3', async (offset) => {
  const engine = await openEngine(small({}));
  await engine.createTopic('t', { partitionCount: 1 });
  await appendMany(logOf(engine, 't'), 'v', 3);
  const deleting = logOf(engine, 't').deleteRecordsBefore(offset);
  await expect(deleting).rejects.toMatchObject({ code: 'offset-out-of-range', message: expect.stringContaining('3') });
});

test('records older than retention.ms go with their segments, those of other topics stay', async () => {
  const clock = new TurnedClock();
  const options = small({ clock: clock.read });
  const engine = await openEngine(options);
  await engine.createTopic('short', { partitionCount: 1, settings: { 'retention.ms': `${MINUTE_MS}` } });
  await engine.createTopic('kept', { partitionCount: 1 });
  await appendMany(logOf(engine, 'short'), 'old', 40);
  await logOf(engine, 'kept').append(numberedBatch('kept'), 'synced');
  await appendMany(logOf(engine, 'short'), 'older', 40);
  clock.nowMs += MINUTE_MS / 2;
  await appendMany(logOf(engine, 'short'), 'young', 40);
  clock.nowMs += MINUTE_MS / 2;
  const before = segmentsOn(options.dataDir).length;
  await engine.maintain();
  const values = await valuesOf(logOf(engine, 'short'));
  expect(values.at(-1)).toBe('young39-0');
  expect(values.slice(-40)[0]).toBe('young0-0');
  expect(values.length).toBeLessThan(80);
  await expect(valuesOf(logOf(engine, 'kept'))).resolves.toEqual(['kept-0']);
  await engine.close();
  expect(segmentsOn(options.dataDir).length).toBeLessThan(before);
  const reopened = await openEngine(options);
  await expect(valuesOf(logOf(reopened, 'short'))).resolves.toEqual(values);
});

test('the segment that is appended to ends when all of it is too old, and goes', async () => {
  const clock = new TurnedClock();
  const engine = await openEngine(small({ clock: clock.read }));
  await engine.createTopic('t', { partitionCount: 1, settings: { 'retention.ms': `${MINUTE_MS}` } });
  await appendMany(logOf(engine, 't'), 'v', 3);
  clock.nowMs += MINUTE_MS - 1;
  await engine.maintain();
  expect(logOf(engine, 't').logStartOffset).toBe(0n);
  clock.nowMs += 1;
  await engine.maintain();
  expect(logOf(engine, 't').logStartOffset).toBe(3n);
  expect(engine.volumes()[0]!.segments).toBe(1);
});

test('segment.ms ends a segment that is slow to fill, so that retention.ms takes its records while others come', async () => {
  const clock = new TurnedClock();
  const engine = await openEngine(small({ segmentBytes: 1_000_000, clock: clock.read }));
  const settings = { 'retention.ms': `${2 * MINUTE_MS}`, 'segment.ms': `${MINUTE_MS}` };
  await engine.createTopic('t', { partitionCount: 1, settings });
  const log = logOf(engine, 't');
  for (let minute = 0; minute < 10; minute++) {
    await appendMany(log, `m${minute}-`, 1);
    clock.nowMs += MINUTE_MS;
    await engine.maintain();
  }
  expect(log.logStartOffset).toBe(9n);
});

test('retention.bytes keeps the newest segments’ records of each partition that reach so far', async () => {
  const engine = await openEngine(small({}));
  await engine.createTopic('t', { partitionCount: 2, settings: { 'retention.bytes': '4000' } });
  await appendMany(logOf(engine, 't', 0), 'v', 200);
  await appendMany(logOf(engine, 't', 1), 'w', 10);
  await engine.maintain();
  const log = logOf(engine, 't', 0);
  expect(log.sizeBytes).toBeGreaterThanOrEqual(4000);
  expect(log.sizeBytes).toBeLessThan(6500);
  expect((await valuesOf(log)).at(-1)).toBe('v199-0');
  expect(logOf(engine, 't', 1).logStartOffset).toBe(0n);
});

test('a compacted topic gives nothing up to retention, until its policy says delete as well', async () => {
  const clock = new TurnedClock();
  const engine = await openEngine(small({ clock: clock.read }));
  const limits = { 'retention.ms': '1', 'retention.bytes': '1' };
  await engine.createTopic('t', { partitionCount: 1, settings: { ...limits, 'cleanup.policy': 'compact' } });
  await appendMany(logOf(engine, 't'), 'v', 50);
  clock.nowMs += MINUTE_MS;
  await engine.maintain();
  expect(logOf(engine, 't').logStartOffset).toBe(0n);
  await engine.alterTopic('t', { settings: { ...limits, 'cleanup.policy': 'compact,delete' } });
  await engine.maintain();
  expect(logOf(engine, 't').logStartOffset).toBe(50n);
});

test('a deleted topic gives its room back, also from the segment that is appended to', async () => {
  const options = small({});
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1 });
  await appendMany(logOf(engine, 't'), 'v', 100);
  await engine.deleteTopic('t');
  await engine.maintain();
  expect(engine.volumes()[0]!.segments).toBe(1);
});

test('a topic that got more partitions and other settings has them after a restart, and its records', async () => {
  const options = small({});
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1, settings: { 'max.message.bytes': '1000' } });
  await engine.createTopic('other', { partitionCount: 1 });
  await appendMany(logOf(engine, 't'), 'v', 2);
  const altered = await engine.alterTopic('t', { partitionCount: 3, settings: { 'max.message.bytes': '100' } });
  expect(altered).toMatchObject({ name: 't', partitionCount: 3, settings: { 'max.message.bytes': '100' } });
  await expect(logOf(engine, 't').append(numberedBatch('x'.repeat(90)), 'synced')).rejects.toMatchObject({
    code: 'batch-too-large',
  });
  await appendMany(logOf(engine, 't', 2), 'w', 2);
  await engine.close();
  const reopened = await openEngine(options);
  expect(reopened.topic('t')).toEqual(altered);
  await expect(valuesOf(logOf(reopened, 't', 0))).resolves.toEqual(['v0-0', 'v1-0']);
  await expect(valuesOf(logOf(reopened, 't', 2))).resolves.toEqual(['w0-0', 'w1-0']);
  await expect(valuesOf(logOf(reopened, 'other'))).resolves.toEqual([]);
});

test.each([
  [{ partitionCount: 1 }, 'illegal-setting', 'go down to 1'],
  [{ partitionCount: 0 }, 'illegal-setting', 'is 0'],
  [{ settings: { 'retention.ms': 'long' } }, 'illegal-setting', '"long"'],
])('altering a topic of two partitions by %j is refused', async (change, code, message) => {
  const engine = await openEngine(small({}));
  await engine.createTopic('t', { partitionCount: 2 });
  await expect(engine.alterTopic('t', change)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  await expect(engine.alterTopic('none', {})).rejects.toMatchObject({ code: 'unknown-topic' });
});

test('a deletion that never became durable has taken no segment away', async () => {
  const disk = new FailingDisk();
  const options = small({ disk });
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1 });
  await appendMany(logOf(engine, 't'), 'v', 50);
  const segments = segmentsOn(options.dataDir);
  let release!: () => void;
  disk.released = new Promise((resolve) => {
    release = resolve;
  });
  disk.failing = 'sync';
  const deleting = logOf(engine, 't').deleteRecordsBefore(-1n);
  const maintaining = engine.maintain();
  release();
  await expect(deleting).rejects.toMatchObject({ code: 'volume-stopped' });
  await maintaining;
  await engine.close();
  expect(segmentsOn(options.dataDir)).toEqual(segments);
});

test('readers and deletions run side by side: a reader sees records in order or learns the log’s new start', async () => {
  const engine = await openEngine(small({}));
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  let writing = true;
  const writer = (async () => {
    for (let i = 0; i < 300; i++) {
      await log.append(numberedBatch('v', 4, i * 4), 'synced');
      if (i % 20 === 19) await log.deleteRecordsBefore(BigInt(i * 4 - 30)).then(() => engine.maintain());
    }
    writing = false;
  })();
  while (writing) {
    const records = await readAll(log).catch((error) => {
      expect(error).toMatchObject({ code: 'offset-out-of-range' });
      return [];
    });
    expect(records.map(({ offset }) => offset)).toEqual(records.map(({ timestampMs }) => BigInt(timestampMs)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writer;
  expect(log.logStartOffset).toBe(299n * 4n - 30n);
});
