import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEngine, LogReader } from '../src/api.ts';
import { listSnapshots } from '../src/snapshot-folder.ts';
import { verifySnapshot } from '../src/snapshot-verification.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { stoppingDisk } from './stopping-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const VOLUMES = ['a', 'b', 'c'];

async function openWithTopics(dataDir: string, disk?: FailingDisk): Promise<LogEngine> {
  const engine = await openEngine({ dataDir, segmentBytes: 2000 }, disk);
  for (const volume of VOLUMES) await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
  return engine;
}

/** The numbers that a volume's log holds, which are all from 0 on. */
async function countIn(reader: LogReader, volume: string): Promise<number> {
  const values = await valuesOf(readerOf(reader, `${volume}.t`));
  expect(values).toEqual(values.map((_, i) => `${i}-0`));
  return values.length;
}

test('one snapshot holds several volumes: their topics, group offsets and files, each under its own', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithTopics(dataDir);
  const offset = { partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' };
  for (const volume of VOLUMES) {
    await logOf(engine, `${volume}.t`).append(numberedBatch(volume), 'synced');
    await engine.commitOffsets(`${volume}.g`, [{ topic: `${volume}.t`, ...offset }]);
    mkdirSync(join(dataDir, volume, 'files'));
    writeFileSync(join(dataDir, volume, 'files', 'note'), volume);
  }
  const manifest = await engine.createSnapshot('b@x', { pin: 1 }, { volumes: ['a', 'b'] });
  expect(manifest).toMatchObject({ formatVersion: 2, volume: 'b', volumes: ['b', 'a'] });
  expect(manifest.topics.map(({ name }) => name)).toEqual(['b.t', 'a.t']);
  expect(manifest.files.map(({ volume, path }) => `${volume}/${path}`)).toEqual(['b/files/note', 'a/files/note']);

  await engine.deleteVolume('a');
  const snapshot = await readSnapshot(dataDir, 'b@x');
  expect(snapshot.topics().map(({ name, volume }) => [name, volume])).toEqual([
    ['b.t', 'b'],
    ['a.t', 'a'],
  ]);
  expect(snapshot.partition('c.t', 0)).toBeUndefined();
  expect(snapshot.groupsWithOffsets()).toEqual(['b.g', 'a.g']);
  for (const volume of ['a', 'b']) {
    expect(await valuesOf(readerOf(snapshot, `${volume}.t`))).toEqual([`${volume}-0`]);
    expect(snapshot.committedOffsets(`${volume}.g`)).toEqual([{ topic: `${volume}.t`, ...offset }]);
    expect(readFileSync(snapshot.filePath('files/note', volume)!, 'utf8')).toBe(volume);
  }
  expect(snapshot.filePath('files/note')).toBe(snapshot.filePath('files/note', 'b'));
  expect(snapshot.filePath('files/note', 'c')).toBeUndefined();
});

test('who writes a number to one volume, then to the next, never shows it in the next one alone', {
  timeout: 120_000,
}, async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithTopics(dataDir);
  let stopping = false;
  const writing = (async () => {
    for (let i = 0; !stopping; i++) {
      for (const volume of VOLUMES) {
        await logOf(engine, `${volume}.t`).append(numberedBatch(`${i}`), i % 3 === 0 ? 'synced' : 'written');
      }
    }
  })();
  let taken = 0;
  const pauses = fc.array(fc.nat(20), { minLength: 6, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pauses, async (turns) => {
      const names: string[] = [];
      for (const turnCount of turns) {
        for (let i = 0; i < turnCount; i++) await new Promise(setImmediate);
        names.push(`a@s${taken++}`);
        await engine.createSnapshot(names.at(-1)!, {}, { volumes: VOLUMES });
      }
      for (const name of names) {
        const snapshot = await readSnapshot(dataDir, name);
        const [a, b, c] = await Promise.all(VOLUMES.map((volume) => countIn(snapshot, volume)));
        expect(a === b || a === b! + 1).toBe(true);
        expect(b === c || b === c! + 1).toBe(true);
        expect(a! - c!).toBeLessThanOrEqual(1);
        await snapshot.close();
      }
    }),
    { numRuns: 2 },
  );
  stopping = true;
  await writing;
});

test('all appends that were asked for before a snapshot are in it, also those that wait for memory', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir }, disk);
  for (const volume of VOLUMES) await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
  const value = numberedBatch('v'.repeat(450_000));
  // Far more than an engine keeps unwritten.
  const appends = Array.from({ length: 20 }, () => logOf(engine, 'b.t').append(value, 'synced'));
  await engine.createSnapshot('a@x', {}, { volumes: ['b'] });
  expect(readerOf(await readSnapshot(dataDir, 'a@x'), 'b.t').highWatermark).toBe(20n);
  await Promise.all(appends);
});

test('pins given as a function are read at the moment of the cut', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithTopics(dataDir);
  const log = logOf(engine, 'b.t');
  let appended = 0;
  let stopping = false;
  const writing = (async () => {
    while (!stopping) {
      const appending = log.append(numberedBatch('v'), 'written');
      appended++;
      await appending;
    }
  })();
  for (let i = 0; i < 10; i++) {
    const manifest = await engine.createSnapshot(`a@s${i}`, () => ({ appended }), { volumes: ['b'] });
    expect(manifest.topics[1]?.partitions[0]?.end).toBe(String(manifest.pins.appended));
  }
  stopping = true;
  await writing;
});

test('where one of the volumes is not there or has stopped, none is frozen, and the others go on', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openWithTopics(dataDir, disk);
  await expect(engine.createSnapshot('a@x', {}, { volumes: ['d'] })).rejects.toMatchObject({ code: 'unknown-volume' });
  await expect(engine.createSnapshot('a@x', {}, { volumes: ['../a'] })).rejects.toMatchObject({ code: 'illegal-name' });
  Object.assign(disk, { failing: 'sync', failingPath: join('b', 'journal') });
  await expect(logOf(engine, 'b.t').append(numberedBatch('v'), 'synced')).rejects.toMatchObject({
    code: 'volume-stopped',
  });
  await expect(engine.createSnapshot('a@x', {}, { volumes: ['b'] })).rejects.toMatchObject({ code: 'volume-stopped' });
  expect(await listSnapshots(dataDir)).toEqual([]);
  await logOf(engine, 'a.t').append(numberedBatch('v'), 'synced');
  await engine.createSnapshot('a@x', {}, { volumes: ['c'] });
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'a@x'), 'a.t'))).toEqual(['v-0']);
});

test('a volume is deleted only after the snapshot that holds it is taken', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithTopics(dataDir);
  await logOf(engine, 'b.t').append(numberedBatch('v'), 'synced');
  const taking = engine.createSnapshot('a@x', {}, { volumes: ['b'] });
  await engine.deleteVolume('b');
  await taking;
  expect(await valuesOf(readerOf(await readSnapshot(dataDir, 'a@x'), 'b.t'))).toEqual(['v-0']);
});

test('a snapshot of format 1 is read as one of a single volume', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithTopics(dataDir);
  await logOf(engine, 'a.t').append(numberedBatch('v'), 'synced');
  mkdirSync(join(dataDir, 'a', 'files'));
  writeFileSync(join(dataDir, 'a', 'files', 'note'), 'a');
  const manifest = await engine.createSnapshot('a@x', {});
  const folder = join(dataDir, '.snapshots', 'a@x');
  const { volumes, files, ...others } = manifest;
  const [{ name, ...frozen }] = JSON.parse(readFileSync(join(folder, 'checkpoint.json'), 'utf8')).volumes;
  const old = { ...others, formatVersion: 1, files: files.map(({ path, sizeBytes }) => ({ path, sizeBytes })) };
  const texts = { 'manifest.json': JSON.stringify(old), 'checkpoint.json': JSON.stringify(frozen) };
  const sums = Object.entries(texts).map(([file, text]) => {
    writeFileSync(join(folder, file), text);
    return `${createHash('sha256').update(text).digest('hex')}  ${file}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));

  expect([name, volumes]).toEqual(['a', ['a']]);
  expect(await listSnapshots(dataDir)).toEqual([{ ...manifest, formatVersion: 1 }]);
  const snapshot = await readSnapshot(dataDir, 'a@x');
  expect(await valuesOf(readerOf(snapshot, 'a.t'))).toEqual(['v-0']);
  expect(readFileSync(snapshot.filePath('files/note')!, 'utf8')).toBe('a');
});

test('a crash at any call while several volumes are frozen leaves the snapshot whole or nothing of it', {
  timeout: 120_000,
}, async () => {
  const prepared = temporaryFolder();
  const engine = await openWithTopics(prepared);
  for (const volume of VOLUMES) await logOf(engine, `${volume}.t`).append(numberedBatch('0'), 'synced');
  await engine.close();
  let isDone = false;
  for (let stopAfter = 0; !isDone; stopAfter++) {
    const dataDir = temporaryFolder();
    cpSync(prepared, dataDir, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const { disk, stopIn } = stoppingDisk(Number.POSITIVE_INFINITY);
    const crashing = await openEngine({ dataDir, segmentBytes: 2000 }, disk);
    stopIn(stopAfter);
    isDone = await crashing.createSnapshot('a@x', {}, { volumes: ['b'] }).then(
      () => true,
      () => false,
    );
    stopIn(0);
    await crashing.close().catch(() => undefined);
    const after = await openEngine({ dataDir, segmentBytes: 2000 });
    const names = (await listSnapshots(dataDir)).map(({ name }) => name);
    if (isDone) expect(names).toEqual(['a@x']);
    if (names.length === 0) await after.createSnapshot('a@x', {}, { volumes: ['b'] });
    expect(readdirSync(join(dataDir, '.snapshots'))).toEqual(['a@x']);
    expect((await verifySnapshot(dataDir, 'a@x')).damages).toEqual([]);
    const snapshot = await readSnapshot(dataDir, 'a@x');
    for (const volume of ['a', 'b']) expect(await countIn(snapshot, volume)).toBe(1);
    await after.close();
  }
});
