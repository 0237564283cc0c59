import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readAll, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const QUOTA = 40_000;

function bytesOn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

test('a volume past its quota loses its oldest segments, keeps topics and group offsets, and goes on', async () => {
  const dataDir = temporaryFolder();
  const options = { dataDir, volumeQuotaBytes: QUOTA };
  const engine = await openEngine(options);
  await engine.createTopic('t', { partitionCount: 1 });
  await engine.createTopic('quiet', { partitionCount: 1 });
  const committed = { topic: 't', partition: 0, offset: 7n, leaderEpoch: 0, metadata: 'kept' };
  await engine.commitOffsets('g', [committed]);
  const log = logOf(engine, 't');
  await logOf(engine, 'quiet').append(numberedBatch('gone'), 'synced');
  for (let i = 0; i < 600; i++) await log.append(numberedBatch(`v${i}`, 3), 'synced');
  const { sizeBytes } = engine.volumes()[0]!;
  expect(sizeBytes).toBeLessThanOrEqual(QUOTA);
  expect(log.logStartOffset).toBeGreaterThan(0n);
  expect(logOf(engine, 'quiet').logStartOffset).toBe(1n);
  await expect(log.read(0n, 100)).rejects.toMatchObject({ code: 'offset-out-of-range' });
  await engine.close();
  expect(bytesOn(join(dataDir, 'default', 'journal'))).toBe(engine.volumes()[0]!.sizeBytes);

  const reopened = await openEngine(options);
  const again = logOf(reopened, 't');
  expect([again.logStartOffset, again.logEndOffset, again.sizeBytes]).toEqual([
    log.logStartOffset,
    log.logEndOffset,
    log.sizeBytes,
  ]);
  expect(logOf(reopened, 'quiet').logStartOffset).toBe(1n);
  expect(logOf(reopened, 'quiet').logEndOffset).toBe(1n);
  expect(reopened.committedOffsets('g')).toEqual([committed]);
  expect((await valuesOf(again)).at(-1)).toBe('v599-2');
});

test('a log that lost a part from its middle starts behind that part, after a crash too', async () => {
  const dataDir = temporaryFolder();
  const options = { dataDir, volumeQuotaBytes: QUOTA, segmentBytes: 4000 };
  const engine = await openEngine(options);
  await engine.createTopic('kept', { partitionCount: 1, settings: { 'cleanup.policy': 'compact' } });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  // The first segment holds some of both, and may not go: nothing of `kept` was carried elsewhere.
  await logOf(engine, 'kept').append(numberedBatch('first'), 'synced');
  for (let i = 0; log.logStartOffset === 0n; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  const { logStartOffset } = log;
  await vi.waitUntil(() => engine.events.some(({ kind }) => kind === 'segment-removed'), { interval: 1 });
  const afterCrash = temporaryFolder();
  cpSync(join(dataDir, 'default'), join(afterCrash, 'default'), { recursive: true });

  const again = logOf(await openEngine({ ...options, dataDir: afterCrash }), 't');
  expect(again.logStartOffset).toBe(logStartOffset);
  const offsets = (await readAll(again)).map(({ offset }) => offset);
  expect(offsets).toEqual(offsets.map((_, i) => logStartOffset + BigInt(i)));
});

test('a smaller quota is kept from the next opening on', async () => {
  const dataDir = temporaryFolder();
  const large = await openEngine({ dataDir, segmentBytes: 4000 });
  await large.createTopic('t', { partitionCount: 1 });
  for (let i = 0; i < 400; i++) await logOf(large, 't').append(numberedBatch(`v${i}`), 'synced');
  await large.close();
  const small = await openEngine({ dataDir, segmentBytes: 4000, volumeQuotaBytes: 20_000 });
  expect(small.volumes()[0]!.sizeBytes).toBeLessThanOrEqual(20_000);
  expect((await valuesOf(logOf(small, 't'))).at(-1)).toBe('v399-0');
});

test('a batch that could never fit the quota is refused', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), volumeQuotaBytes: 4000 });
  await engine.createTopic('t', { partitionCount: 1 });
  const appending = logOf(engine, 't').append(numberedBatch('x'.repeat(600)), 'synced');
  await expect(appending).rejects.toMatchObject({ code: 'volume-full', message: expect.stringContaining('1000') });
});

test('readers and retention run side by side: a reader sees records in order or learns the log’s new start', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), volumeQuotaBytes: QUOTA });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  let writing = true;
  const writer = (async () => {
    for (let i = 0; i < 500; i++) await log.append(numberedBatch('v', 4, i * 4), i % 10 === 0 ? 'synced' : 'written');
    writing = false;
  })();
  while (writing) {
    // Reads from memory take no turn of the event loop, and the writer needs some.
    await setImmediate();
    const start = log.logStartOffset;
    const records = await readAll(log, start).catch((error) => {
      expect(error).toMatchObject({ code: 'offset-out-of-range' });
      return [];
    });
    expect(records.map(({ offset }) => offset)).toEqual(records.map(({ timestampMs }) => BigInt(timestampMs)));
  }
  await writer;
  expect(log.logStartOffset).toBeGreaterThan(0n);
});
