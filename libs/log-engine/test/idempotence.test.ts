import { expect, test } from 'vitest';
import { numberedBatch, producedBatch } from './batches.ts';
import { logOf, openEngine, readSnapshot, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const producer = { producerId: 4711n, epoch: 0 };

test('a batch that comes again is not appended, and is answered with the offsets of the first time', async () => {
  let now = 5;
  const engine = await openEngine({ dataDir: temporaryFolder(), clock: () => now });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await log.append(numberedBatch('x'), 'synced');
  const first = await log.append(producedBatch('a', producer, 0, { recordCount: 2 }), 'synced');
  expect(first).toMatchObject({ baseOffset: 1n, lastOffset: 2n, isDuplicate: false });
  await log.append(producedBatch('b', producer, 2), 'synced');
  now = 9;
  const again = await log.append(producedBatch('a', producer, 0, { recordCount: 2 }), 'synced');
  expect(again).toEqual({ ...first, isDuplicate: true });
  expect(await valuesOf(log)).toEqual(['x-0', 'a-0', 'a-1', 'b-0']);
});

test('gaps, fenced epochs and mixtures are refused, and nothing of them is appended', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await log.append(producedBatch('a', { ...producer, epoch: 1 }, 0), 'synced');
  const refusals: [Buffer, string][] = [
    [producedBatch('b', { ...producer, epoch: 1 }, 2), 'out-of-order-sequence'],
    [producedBatch('b', { ...producer, epoch: 2 }, 1), 'out-of-order-sequence'],
    [producedBatch('b', { ...producer, epoch: 0 }, 1), 'producer-fenced'],
    [Buffer.concat([producedBatch('a', { ...producer, epoch: 1 }, 0), numberedBatch('b')]), 'out-of-order-sequence'],
    [producedBatch('b', { ...producer, epoch: -1 }, 1), 'batch-corrupt'],
    [producedBatch('b', { ...producer, epoch: 1 }, -1), 'batch-corrupt'],
    [producedBatch('b', { producerId: 2n ** 53n - 1n, epoch: 1 }, 0), 'batch-corrupt'],
  ];
  for (const [batches, code] of refusals) {
    await expect(log.append(batches, 'synced')).rejects.toMatchObject({ code });
  }
  expect(log.logEndOffset).toBe(1n);
  await log.append(producedBatch('c', { ...producer, epoch: 2 }, 0), 'synced');
  expect(await valuesOf(log)).toEqual(['a-0', 'c-0']);
});

test.each(['one segment', 'many segments'])('what is known of producers survives a reopen over %s', async (size) => {
  const dataDir = temporaryFolder();
  const options = { dataDir, ...(size === 'one segment' ? {} : { segmentBytes: 300 }) };
  const first = await openEngine(options);
  await first.createTopic('t', { partitionCount: 2 });
  for (let i = 0; i < 8; i++) await logOf(first, 't').append(producedBatch(`a${i}`, producer, i), 'synced');
  for (let i = 0; i < 8; i++) await logOf(first, 't', 1).append(numberedBatch(`b${i}`), 'synced');
  await first.close();

  const second = await openEngine(options);
  const log = logOf(second, 't');
  for (const sequence of [3, 7]) {
    const again = await log.append(producedBatch(`a${sequence}`, producer, sequence), 'synced');
    expect(again).toMatchObject({ baseOffset: BigInt(sequence), isDuplicate: true });
  }
  for (const sequence of [2, 9]) {
    const appending = log.append(producedBatch('z', producer, sequence), 'synced');
    await expect(appending).rejects.toMatchObject({ code: 'out-of-order-sequence' });
  }
  expect(await log.append(producedBatch('a8', producer, 8), 'synced')).toMatchObject({ baseOffset: 8n });
});

test('a duplicate is answered when its original is synced, and fails with it', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  let release = (): void => undefined;
  disk.released = new Promise((resolve) => {
    release = resolve;
  });
  disk.failing = 'sync';
  const original = log.append(producedBatch('a', producer, 0), 'synced');
  const again = log.append(producedBatch('a', producer, 0), 'synced');
  expect(await log.append(producedBatch('a', producer, 0), 'written')).toMatchObject({ isDuplicate: true });
  release();
  await expect(original).rejects.toMatchObject({ code: 'volume-stopped' });
  await expect(again).rejects.toMatchObject({ code: 'volume-stopped' });
});

test('sequences go on at 0 after 2^31 - 1', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await log.append(producedBatch('a', producer, 2 ** 31 - 2, { recordCount: 3 }), 'synced');
  await log.append(producedBatch('b', producer, 1), 'synced');
  const again = await log.append(producedBatch('a', producer, 2 ** 31 - 2, { recordCount: 3 }), 'synced');
  expect(again).toMatchObject({ baseOffset: 0n, isDuplicate: true });
  expect(log.logEndOffset).toBe(4n);
});

test('a snapshot can be read although producers wrote to it', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await logOf(engine, 'v.t').append(producedBatch('a', producer, 0), 'synced');
  await engine.createSnapshot('v@one', {});
  const snapshot = await readSnapshot(dataDir, 'v@one');
  expect(await valuesOf(snapshot.partition('v.t', 0)!)).toEqual(['a-0']);
});
