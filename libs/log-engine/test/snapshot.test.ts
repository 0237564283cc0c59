import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deleteSnapshot, listSnapshots } from '../src/snapshot-folder.ts';
import { openSnapshot } from '../src/snapshot-reader.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SEGMENT_BYTES = 2000;

function names(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `v${from + i}-0`);
}

test('a snapshot holds what the volume held, and nothing of what comes after', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: SEGMENT_BYTES, clock: () => 4711 });
  const topic = await engine.createTopic('market.ticks', { partitionCount: 2 });
  const log = logOf(engine, 'market.ticks', 1);
  for (let i = 0; i < 60; i++) await log.append(numberedBatch(`v${i}`, 1, 1000 + i), i % 2 ? 'none' : 'synced');
  const committed = { topic: 'market.ticks', partition: 1, offset: 2n ** 60n, leaderEpoch: 3, metadata: 'µ' };
  await engine.commitOffsets('market.reader', [committed]);
  await engine.commitOffsets('other.reader', [committed]);

  const manifest = await engine.createSnapshot('market@open', { code: { version: '1' } });
  for (let i = 60; i < 120; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  await engine.deleteTopic('market.ticks');

  expect(manifest).toMatchObject({
    formatVersion: 2,
    name: 'market@open',
    volume: 'market',
    volumes: ['market'],
    createdAtMs: 4711,
    topics: [
      {
        name: 'market.ticks',
        partitions: [
          { start: '0', end: '0' },
          { start: '0', end: '60' },
        ],
      },
    ],
    files: [],
    pins: { code: { version: '1' } },
  });
  expect(await listSnapshots(dataDir)).toEqual([manifest]);
  const snapshot = await readSnapshot(dataDir, 'market@open');
  expect(snapshot.manifest).toEqual(manifest);
  expect(snapshot.topics()).toEqual([topic]);
  expect(snapshot.topic('market.ticks')).toEqual(topic);
  expect([snapshot.topic('market.none'), snapshot.partition('market.ticks', 2)]).toEqual([undefined, undefined]);
  const frozen = readerOf(snapshot, 'market.ticks', 1);
  expect([frozen.logStartOffset, frozen.highWatermark]).toEqual([0n, 60n]);
  expect(await valuesOf(frozen)).toEqual(names(60));
  expect((await frozen.read(60n, 100)).batches).toEqual([]);
  await expect(frozen.read(61n, 100)).rejects.toMatchObject({ code: 'offset-out-of-range' });
  expect(await frozen.offsetForTimestamp(1031n)).toEqual({ offset: 31n, timestampMs: 1031n });
  expect(await frozen.offsetForTimestamp(1060n)).toBeUndefined();
  expect(snapshot.groupsWithOffsets()).toEqual(['market.reader']);
  expect(snapshot.committedOffsets('market.reader')).toEqual([committed]);
});

test('a snapshot outlives the retention, the deletion and the engine of its volume', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: SEGMENT_BYTES, volumeQuotaBytes: 12_000 });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  for (let i = 0; i < 120; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  const start = Number(log.logStartOffset);
  expect(start).toBeGreaterThan(0);
  await engine.createSnapshot('v@early', {});
  for (let i = 120; i < 300; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  expect(log.logStartOffset).toBeGreaterThan(120n);

  const expectWhole = async (): Promise<void> => {
    const frozen = readerOf(await readSnapshot(dataDir, 'v@early'), 'v.t');
    expect(frozen.logStartOffset).toBe(BigInt(start));
    expect(await valuesOf(frozen)).toEqual(names(120 - start, start));
  };
  await expectWhole();
  await engine.deleteVolume('v');
  await engine.close();
  await expectWhole();
});

test('a snapshot right after another one, and one of a volume that was opened anew, hold the same', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir });
  await first.createTopic('v.t', { partitionCount: 1 });
  await logOf(first, 'v.t').append(numberedBatch('v0'), 'synced');
  await Promise.all(['v@a', 'v@b'].map((name) => first.createSnapshot(name, {})));
  await first.createSnapshot('v@c', {});
  expect(first.volumes()[0]!.segments).toBe(2);
  await first.close();
  const second = await openEngine({ dataDir });
  await second.createSnapshot('v@d', {});
  const manifests = await listSnapshots(dataDir);
  expect(manifests.map(({ name }) => name)).toEqual(['v@a', 'v@b', 'v@c', 'v@d']);
  expect(new Set(manifests.map(({ id }) => id)).size).toBe(4);
  for (const { name } of manifests) {
    expect(await valuesOf(readerOf(await readSnapshot(dataDir, name), 'v.t'))).toEqual(['v0-0']);
  }
});

test('a volume without a topic or a record can be frozen too', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await engine.createSnapshot('v@no-record', {});
  await engine.deleteTopic('v.t');
  await engine.createSnapshot('v@no-topic', {});
  const frozen = readerOf(await readSnapshot(dataDir, 'v@no-record'), 'v.t');
  expect([frozen.highWatermark, await valuesOf(frozen)]).toEqual([0n, []]);
  expect((await readSnapshot(dataDir, 'v@no-topic')).topics()).toEqual([]);
});

test('tables and files are taken along as they were, and only what was published', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const volume = join(dataDir, 'v');
  const put = (path: string, text: string): void => {
    mkdirSync(join(volume, path, '..'), { recursive: true });
    writeFileSync(join(volume, `${path}.tmp`), text);
    renameSync(join(volume, `${path}.tmp`), join(volume, path));
  };
  put('tables/history.duckdb', 'first');
  put('tables/parts/2024/a.parquet', 'part');
  put('files/note.txt', 'gone soon');
  put('elsewhere/x', 'not taken');
  symlinkSync(join(volume, 'files/note.txt'), join(volume, 'tables/linked'));
  for (const name of ['.hidden', 'b.tmp', 'history.duckdb.77.partial', 'history.duckdb.77.partial.wal']) {
    writeFileSync(join(volume, 'tables', name), 'half');
  }
  const manifest = await engine.createSnapshot('v@files', {});
  put('tables/history.duckdb', 'second');
  put('tables/later.parquet', 'later');
  rmSync(join(volume, 'files/note.txt'));

  expect(manifest.files).toEqual([
    { volume: 'v', path: 'files/note.txt', sizeBytes: 9 },
    { volume: 'v', path: 'tables/history.duckdb', sizeBytes: 5 },
    { volume: 'v', path: 'tables/linked', sizeBytes: 9 },
    { volume: 'v', path: 'tables/parts/2024/a.parquet', sizeBytes: 4 },
  ]);
  const snapshot = await readSnapshot(dataDir, 'v@files');
  const textOf = (path: string): string => readFileSync(snapshot.filePath(path)!, 'utf8');
  expect(manifest.files.map(({ path }) => textOf(path))).toEqual(['gone soon', 'first', 'gone soon', 'part']);
  for (const path of ['tables/later.parquet', 'tables', '../v/journal', 'journal/0000000001.segment']) {
    expect(snapshot.filePath(path)).toBeUndefined();
  }
});

test.each(['market', 'market@', '@open', 'market@a.b', 'market@../x', 'market@a@b', 'Market@a', `m@${'x'.repeat(65)}`])(
  'a snapshot may not be called %j',
  async (name) => {
    const dataDir = temporaryFolder();
    const engine = await openEngine({ dataDir });
    const refusal = {
      code: 'illegal-name',
      message: expect.stringContaining(`"${name}"`),
      mend: expect.stringContaining('VOLUME@NAME'),
    };
    await expect(engine.createSnapshot(name, {})).rejects.toMatchObject(refusal);
    await expect(openSnapshot(dataDir, name)).rejects.toMatchObject(refusal);
    await expect(deleteSnapshot(dataDir, name)).rejects.toMatchObject(refusal);
    expect(existsSync(join(dataDir, '.snapshots'))).toBe(false);
  },
);

test('of two snapshots of one name at the same time one is taken, and that one stays', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const results = await Promise.allSettled([1, 2, 3].map((pin) => engine.createSnapshot('v@x', { pin })));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  const refusal = { code: 'snapshot-exists', message: expect.stringContaining('v@x') };
  expect(results[1]).toMatchObject({ reason: refusal });
  await expect(engine.createSnapshot('v@x', { pin: 4 })).rejects.toMatchObject(refusal);
  expect((await listSnapshots(dataDir)).map(({ pins }) => pins)).toEqual([{ pin: 1 }]);
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual(['v@x']);
});

test('an unknown volume or snapshot is refused with what there is', async () => {
  const dataDir = temporaryFolder();
  const missing = join(dataDir, 'missing');
  const engine = await openEngine({ dataDir });
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({
    code: 'unknown-volume',
    message: 'there is no volume v; there is none',
  });
  const none = { code: 'unknown-snapshot', message: 'there is no snapshot v@x; there is none in this data folder' };
  for (const folder of [dataDir, missing]) {
    await expect(openSnapshot(folder, 'v@x')).rejects.toMatchObject(none);
    await expect(deleteSnapshot(folder, 'v@x')).rejects.toMatchObject(none);
    expect(await listSnapshots(folder)).toEqual([]);
  }
  expect(existsSync(missing)).toBe(false);
  for (const volume of ['a', 'b']) {
    await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
    await engine.createSnapshot(`${volume}@x`, {});
  }
  await expect(openSnapshot(dataDir, 'v@x')).rejects.toMatchObject({
    message: 'there is no snapshot v@x; there are: a@x, b@x',
  });
  await expect(engine.createSnapshot('v@x', {})).rejects.toMatchObject({
    message: 'there is no volume v; there are: a, b',
  });
});

test('a deleted snapshot is gone, its name free, and whoever still reads it is told', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await logOf(engine, 'v.t').append(numberedBatch('v0'), 'synced');
  await engine.createSnapshot('v@x', { pin: 1 });
  const snapshot = await readSnapshot(dataDir, 'v@x');
  await deleteSnapshot(dataDir, 'v@x');
  expect(await listSnapshots(dataDir)).toEqual([]);
  expect(readdirSync(join(dataDir, '.snapshots'))).toEqual([]);
  await expect(valuesOf(readerOf(snapshot, 'v.t'))).rejects.toMatchObject({ code: 'unknown-snapshot' });
  await expect(deleteSnapshot(dataDir, 'v@x')).rejects.toMatchObject({ code: 'unknown-snapshot' });
  expect(await engine.createSnapshot('v@x', { pin: 2 })).toMatchObject({ pins: { pin: 2 } });
  expect(await valuesOf(logOf(engine, 'v.t'))).toEqual(['v0-0']);
});

test('a closed snapshot is not read any more', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await engine.createSnapshot('v@x', {});
  const snapshot = await readSnapshot(dataDir, 'v@x');
  await snapshot.close();
  await expect(readerOf(snapshot, 'v.t').read(0n, 1)).rejects.toMatchObject({ code: 'volume-stopped' });
});

test('what a crash left half made is removed by the next owner, and by nobody else', async () => {
  const dataDir = temporaryFolder();
  const left = ['.snapshots/v@x.tmp', '.snapshots/v@y.0123456789abcdef.tmp', '.trash-v-0123456789abcdef'];
  for (const folder of left) {
    mkdirSync(join(dataDir, folder, 'v', 'journal'), { recursive: true });
    writeFileSync(join(dataDir, folder, 'v', 'journal', '0000000001.segment'), 'half');
  }
  expect(await listSnapshots(dataDir)).toEqual([]);
  await expect(openSnapshot(dataDir, 'v@x')).rejects.toMatchObject({ code: 'unknown-snapshot' });
  expect(left.map((folder) => existsSync(join(dataDir, folder)))).toEqual([true, true, true]);
  const engine = await openEngine({ dataDir });
  expect(left.map((folder) => existsSync(join(dataDir, folder)))).toEqual([false, false, false]);
  expect(engine.volumes()).toEqual([]);
});

test('docs/formats/snapshot.md names the fields of both JSON files, in their order', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('v.t', { partitionCount: 1 });
  await engine.createSnapshot('v@x', {});
  const document = readFileSync(new URL('../../../docs/formats/snapshot.md', import.meta.url), 'utf8');
  for (const file of ['manifest.json', 'checkpoint.json']) {
    const section = document.split(`## ${file}\n`)[1]!.split('\n## ')[0]!;
    const firstCells = [...section.matchAll(/^\| (`.*?) \|/gm)].map((match) => match[1]!);
    const documented = firstCells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1]));
    const written = JSON.parse(readFileSync(join(dataDir, '.snapshots', 'v@x', file), 'utf8'));
    expect(documented).toEqual(Object.keys(file === 'manifest.json' ? written : written.volumes[0]));
  }
});
