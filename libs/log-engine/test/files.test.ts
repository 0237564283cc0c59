import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEngine } from '../src/api.ts';
import { openEngine, readSnapshot } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function openWithVolume(dataDir: string, disk?: FailingDisk): Promise<LogEngine & { events: unknown[] }> {
  const engine = await openEngine({ dataDir, clock: () => 4711 }, disk);
  if (engine.topic('v.t') === undefined) await engine.createTopic('v.t', { partitionCount: 1 });
  return engine;
}

/** A file outside of every volume. */
function draft(dataDir: string, text: string): string {
  const path = join(dataDir, `draft-${text}`);
  writeFileSync(path, text);
  return path;
}

const textOf = (dataDir: string, path: string): string => readFileSync(join(dataDir, 'v', path), 'utf8');

test('a published file is in its place and in the catalog, also after the engine is opened anew', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  const from = draft(dataDir, 'one');
  const file = await engine.publishFile('v', 'tables/trades/part 1.parquet', from, { rows: 3 });
  expect(file).toEqual({
    path: 'tables/trades/part 1.parquet',
    sizeBytes: 3,
    sha256: sha256('one'),
    publishedAtMs: 4711,
    details: { rows: 3 },
  });
  expect(existsSync(from)).toBe(false);
  expect(textOf(dataDir, 'tables/trades/part 1.parquet')).toBe('one');
  await engine.publishFile('v', 'files/two', draft(dataDir, 'two'));
  await engine.close();
  const again = await openWithVolume(dataDir);
  expect(again.files('v').map(({ path }) => path)).toEqual(['tables/trades/part 1.parquet', 'files/two']);
  expect(again.files('v')[0]).toEqual(file);
  await again.createSnapshot('v@x', {});
  await again.close();
  // Now from the checkpoint that the segment behind the snapshot opens with.
  expect((await openWithVolume(dataDir)).files('v')[0]).toEqual(file);
});

test('a removed file leaves catalog and disk, its name is free, and a snapshot keeps it', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  await engine.publishFile('v', 'files/a', draft(dataDir, 'first'));
  await engine.createSnapshot('v@x', {});
  await engine.removeFile('v', 'files/a');
  expect([engine.files('v'), existsSync(join(dataDir, 'v/files/a'))]).toEqual([[], false]);
  await engine.publishFile('v', 'files/a', draft(dataDir, 'second'));
  expect(readFileSync((await readSnapshot(dataDir, 'v@x')).filePath('files/a')!, 'utf8')).toBe('first');
  await engine.close();
  const again = await openWithVolume(dataDir);
  expect([again.files('v').length, textOf(dataDir, 'files/a')]).toEqual([1, 'second']);
});

test.each([
  'a',
  'journal/0000000001.segment',
  'tables',
  'tables/',
  'files//a',
  'files/../journal/a',
  'files/./a',
  '/files/a',
  'files/.hidden',
  'files/a.tmp',
  'files/a.77.partial',
  'files/a\nb',
  'files\\a',
  `files/${'x'.repeat(1100)}`,
])('a file may not be published as %j', async (path) => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  const from = draft(dataDir, 'one');
  await expect(engine.publishFile('v', path, from)).rejects.toMatchObject({ code: 'illegal-name' });
  expect(existsSync(from)).toBe(true);
});

test('a taken name, a missing file, a folder, an unknown volume: each is refused, and nothing changes', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  await engine.publishFile('v', 'files/a', draft(dataDir, 'one'));
  const from = draft(dataDir, 'two');
  await expect(engine.publishFile('v', 'files/a', from)).rejects.toMatchObject({ code: 'file-exists' });
  await expect(engine.publishFile('w', 'files/b', from)).rejects.toMatchObject({ code: 'unknown-volume' });
  await expect(engine.publishFile('v', 'files/b', join(dataDir, 'no'))).rejects.toMatchObject({ code: 'unknown-file' });
  await expect(engine.publishFile('v', 'files/b', dataDir)).rejects.toMatchObject({ code: 'unknown-file' });
  await expect(engine.removeFile('v', 'files/b')).rejects.toMatchObject({ code: 'unknown-file' });
  expect(() => engine.files('w')).toThrow(/there is no volume w/);
  expect([textOf(dataDir, 'files/a'), readFileSync(from, 'utf8')]).toEqual(['one', 'two']);
});

test('of two publications under one name at the same time one succeeds', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  const drafts = ['one', 'two', 'three'].map((text) => draft(dataDir, text));
  const results = await Promise.allSettled(drafts.map((from) => engine.publishFile('v', 'files/a', from)));
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(engine.files('v').map((file) => file.sha256)).toEqual([sha256(textOf(dataDir, 'files/a'))]);
  expect(drafts.filter((from) => existsSync(from)).length).toBe(2);
});

test('what cannot be recorded is back where it came from, and stays in its place where the record may be there all the same', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openWithVolume(dataDir, disk);
  const from = draft(dataDir, 'one');
  Object.assign(disk, { failing: 'write', failingPath: 'journal', code: 'EIO' });
  await expect(engine.publishFile('v', 'files/a', from)).rejects.toMatchObject({ code: 'volume-stopped' });
  expect([readFileSync(from, 'utf8'), existsSync(join(dataDir, 'v/files/a'))]).toEqual(['one', true]);
});

test('a file of another file system is copied in', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openWithVolume(dataDir, disk);
  const from = draft(dataDir, 'one');
  disk.beforeRename = async (source) => {
    if (source === from) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV', syscall: 'rename' });
  };
  await engine.publishFile('v', 'files/a', from);
  expect([existsSync(from), textOf(dataDir, 'files/a'), readdirSync(join(dataDir, 'v/files'))]).toEqual([
    false,
    'one',
    ['a'],
  ]);
});

test('no disk room is told as that, and the file stays where it was', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openWithVolume(dataDir, disk);
  const from = draft(dataDir, 'one');
  Object.assign(disk, { failing: 'rename', failingPath: 'files', code: 'ENOSPC' });
  await expect(engine.publishFile('v', 'files/a', from)).rejects.toMatchObject({ code: 'disk-full' });
  expect([existsSync(from), engine.files('v')]).toEqual([true, []]);
});

test('half-unpublished: a removal that a crash interrupted is ended by the next owner', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openWithVolume(dataDir, disk);
  await engine.publishFile('v', 'files/a', draft(dataDir, 'one'));
  disk.remove = () => Promise.reject(new Error('EIO'));
  await engine.removeFile('v', 'files/a');
  expect(engine.events).toContainEqual(expect.objectContaining({ kind: 'leftover-stays' }));
  await engine.createSnapshot('v@x', {});
  await engine.close();
  expect(existsSync(join(dataDir, 'v/files/a'))).toBe(true);
  const again = await openWithVolume(dataDir);
  expect([existsSync(join(dataDir, 'v/files/a')), again.files('v')]).toEqual([false, []]);
});

test('file-missing, file-unknown: on opening, a file of the catalog that is missing or has another size is told, others are left alone', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  for (const name of ['a', 'b', 'c']) await engine.publishFile('v', `files/${name}`, draft(dataDir, name));
  await engine.close();
  rmSync(join(dataDir, 'v/files/a'));
  writeFileSync(join(dataDir, 'v/files/b'), 'longer');
  writeFileSync(join(dataDir, 'v/files/not-published'), 'x');
  const { events } = await openWithVolume(dataDir);
  const told = events.filter((event) => (event as { kind: string }).kind === 'file-damaged');
  expect(told).toEqual([
    expect.objectContaining({ volume: 'v', detail: expect.stringMatching(/files\/a.*is missing/) }),
    expect.objectContaining({ volume: 'v', detail: expect.stringMatching(/files\/b.*has 6 bytes instead of 1/) }),
  ]);
  expect(textOf(dataDir, 'files/not-published')).toBe('x');
});

test('a snapshot holds the files of the catalog as they were at its cut, though others come and go meanwhile', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  let stopping = false;
  const publishing = (async () => {
    for (let i = 0; !stopping; i++) {
      await engine.publishFile('v', `files/${i}`, draft(dataDir, `${i}`));
      if (i > 1) await engine.removeFile('v', `files/${i - 2}`);
    }
  })();
  for (let i = 0; i < 15; i++) await engine.createSnapshot(`v@s${i}`, {});
  stopping = true;
  await publishing;
  for (let i = 0; i < 15; i++) {
    const { manifest } = await readSnapshot(dataDir, `v@s${i}`);
    const folder = join(dataDir, '.snapshots', `v@s${i}`);
    const { files } = JSON.parse(readFileSync(join(folder, 'checkpoint.json'), 'utf8')).volumes[0].checkpoint;
    expect(manifest.files.map(({ path }) => path)).toEqual(files.map(({ path }: { path: string }) => path).sort());
    const checksums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
    for (const { path } of files) {
      const text = readFileSync(join(folder, 'v', path), 'utf8');
      expect(checksums).toContain(`${sha256(text)}  v/${path}\n`);
    }
    expect(existsSync(join(folder, 'SHA256SUMS.pending'))).toBe(false);
  }
});

test('names in the catalog lead to files of the volume only', async () => {
  const dataDir = temporaryFolder();
  const engine = await openWithVolume(dataDir);
  const { path } = await engine.publishFile('v', 'tables/a=1/b.parquet', draft(dataDir, 'x'));
  expect(dirname(join(dataDir, 'v', path))).toBe(join(dataDir, 'v/tables/a=1'));
});
