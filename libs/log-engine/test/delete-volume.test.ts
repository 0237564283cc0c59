import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('a deleted volume is gone with topics, offsets and files, for other volumes too, and its name is free', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const offset = (topic: string) => ({ topic, partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await engine.createTopic('other.t', { partitionCount: 1 });
  await engine.commitOffsets('v.g', [offset('other.t')]);
  await engine.commitOffsets('other.g', [offset('v.t'), offset('other.t')]);
  mkdirSync(join(dataDir, 'v', 'tables'));
  writeFileSync(join(dataDir, 'v', 'tables', 'part'), 'part');
  await logOf(engine, 'v.t').append(numberedBatch('old'), 'synced');
  await engine.deleteVolume('v');

  expect(engine.volumes().map(({ name }) => name)).toEqual(['other']);
  expect([engine.topic('v.t'), engine.partition('v.t', 0)]).toEqual([undefined, undefined]);
  expect(engine.groupsWithOffsets()).toEqual(['other.g']);
  expect(engine.committedOffsets('other.g')).toEqual([offset('other.t')]);
  expect(readdirSync(dataDir).filter((name) => name !== '.lock.sock')).toEqual(['other']);
  await expect(engine.deleteVolume('v')).rejects.toMatchObject({
    code: 'unknown-volume',
    message: 'there is no volume v; there are: other',
  });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await logOf(engine, 'v.t').append(numberedBatch('new'), 'synced');
  await engine.close();
  const reopened = await openEngine({ dataDir });
  expect(await valuesOf(logOf(reopened, 'v.t'))).toEqual(['new-0']);
});

test('a volume is deleted though another one cannot record that its offsets are forgotten', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  await engine.commitOffsets('other.g', [{ topic: 'v.t', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }]);
  Object.assign(disk, { failing: 'write', failingPath: join('other', 'journal') });
  await engine.deleteVolume('v');
  expect(existsSync(join(dataDir, 'v'))).toBe(false);
  expect(engine.events).toContainEqual(expect.objectContaining({ kind: 'volume-stopped', volume: 'other' }));
});

test.each(['', '.', '..', '.snapshots', 'none', 'a/b', '../v'])('no volume %j is deleted', async (name) => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await expect(engine.deleteVolume(name)).rejects.toMatchObject({ code: 'unknown-volume' });
  expect(engine.volumes()).toHaveLength(1);
  expect(existsSync(join(dataDir, 'v', 'journal'))).toBe(true);
});

test('who reads, appends or waits for records meanwhile learns that the volume was deleted', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), segmentBytes: 2000 });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  for (let i = 0; i < 60; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  let wasTold = false;
  log.onVisible(() => {
    wasTold = true;
  });
  const [before, deleting] = [log.append(numberedBatch('before'), 'synced'), engine.deleteVolume('v')];
  const gone = { code: 'unknown-topic', message: expect.stringContaining('was deleted') };
  const readUntilRefused = async (): Promise<unknown> => {
    for (;;) await log.read(0n, 100_000);
  };
  await Promise.all([
    expect(before).resolves.toBeDefined(),
    expect(readUntilRefused()).rejects.toMatchObject(gone),
    deleting,
  ]);
  await expect(log.append(numberedBatch('after'), 'synced')).rejects.toMatchObject(gone);
  await expect(log.read(0n, 1)).rejects.toMatchObject(gone);
  expect(wasTold).toBe(true);
});

test('a file that a late reader of a deleted volume opens is not taken for one of its successor', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir, segmentBytes: 2000 });
  await first.createTopic('v.t', { partitionCount: 1 });
  for (let i = 0; i < 60; i++) await logOf(first, 'v.t').append(numberedBatch(`old${i}`), 'synced');
  await first.close();
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir }, disk);
  const [indexIsWanted, deletionHasComeToItsRename] = [signal(), signal()];
  disk.beforeReading = async (path) => {
    if (!path.endsWith('.index')) return;
    indexIsWanted.give();
    await deletionHasComeToItsRename.given;
  };
  const reading = logOf(engine, 'v.t').read(0n, 1);
  await indexIsWanted.given;
  disk.beforeRename = async (_, to) => {
    if (!to.includes('.trash-')) return;
    deletionHasComeToItsRename.give();
    await expect(reading).rejects.toMatchObject({ code: 'unknown-topic' });
  };
  const opened = disk.filesOpenedForReading;
  await engine.deleteVolume('v');
  expect(disk.filesOpenedForReading).toBe(opened + 1);

  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  // More than memory keeps, so that the first ones are read from the file.
  for (let i = 0; i < 40; i++) await log.append(numberedBatch(`new${i}-${'x'.repeat(250_000)}`), 'synced');
  const { batches } = await log.read(0n, 1);
  expect(disk.filesOpenedForReading).toBeGreaterThan(opened + 1);
  expect(Buffer.from(batches[0]!).includes('new0-')).toBe(true);
  expect(engine.events.map(({ kind }) => kind)).not.toContain('range-damaged');
});

function signal(): { give: () => void; given: Promise<void> } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give, given };
}

test('a deletion waits for the snapshot that is being taken, and a topic for the deletion', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await logOf(engine, 'v.t').append(numberedBatch('old'), 'synced');
  const taking = engine.createSnapshot('v@x', {});
  const deleting = engine.deleteVolume('v');
  const creating = engine.createTopic('v.t', { partitionCount: 1 });
  await expect(engine.createSnapshot('v@y', {})).rejects.toMatchObject({ code: 'unknown-volume' });
  await Promise.all([taking, deleting, creating]);
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t'))).toEqual(['old-0']);
  expect(await valuesOf(logOf(engine, 'v.t'))).toEqual([]);
});

test('a volume that cannot be moved away stays, and goes on', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  await logOf(engine, 'v.t').append(numberedBatch('a'), 'synced');
  Object.assign(disk, { failing: 'rename', failingPath: '.trash-', code: 'EACCES' });
  await expect(engine.deleteVolume('v')).rejects.toMatchObject({ code: 'folder-unusable' });
  await logOf(engine, 'v.t').append(numberedBatch('b'), 'synced');
  expect(await valuesOf(logOf(engine, 'v.t'))).toEqual(['a-0', 'b-0']);
});

test('a volume that was stopped by its disk can be deleted', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  disk.failing = 'write';
  await expect(logOf(engine, 'v.t').append(numberedBatch('a'), 'synced')).rejects.toThrow('EIO');
  await engine.deleteVolume('v');
  disk.failing = undefined;
  await engine.createTopic('v.t', { partitionCount: 1 });
  expect(await valuesOf(logOf(engine, 'v.t'))).toEqual([]);
});
