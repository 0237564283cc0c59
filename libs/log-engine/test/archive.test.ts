import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { exportSnapshot, exportVolume } from '../src/snapshot-export.ts';
import { listSnapshots } from '../src/snapshot-folder.ts';
import { importSnapshot } from '../src/snapshot-import.ts';
import { verifySnapshot } from '../src/snapshot-verification.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { isStopped, stoppingDisk } from './stopping-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const VALUES = Array.from({ length: 40 }, (_, i) => `v${i}-0`);
const LARGE = 'x'.repeat(700_000);
const NAME = 'v@x';

/** A data folder with one snapshot of two volumes, and its archive. */
async function exported() {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 2000 });
  for (const volume of ['v', 'w']) {
    await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
    for (let i = 0; i < VALUES.length; i++) {
      await logOf(engine, `${volume}.t`).append(numberedBatch(`v${i}`), 'written');
    }
  }
  mkdirSync(join(dataDir, 'v/tables/deep'), { recursive: true });
  writeFileSync(join(dataDir, 'v/tables/deep/large'), LARGE);
  writeFileSync(join(dataDir, 'v/tables/ä b'), '');
  await engine.createSnapshot(NAME, { pin: 1 }, { volumes: ['w'] });
  const path = join(dataDir, 'x.tar');
  const archive = await exportSnapshot(dataDir, NAME, path);
  return { dataDir, engine, path, archive };
}

/** A data folder that nothing came into, though something was tried. */
function expectNothing(dataDir: string): void {
  for (const folder of ['.snapshots', '.staging']) {
    const path = join(dataDir, folder);
    expect(existsSync(path) ? readdirSync(path) : []).toEqual([]);
  }
}

async function expectWhole(dataDir: string, name: string): Promise<void> {
  expect(await verifySnapshot(dataDir, name)).toMatchObject({ unhashedFiles: 0, damages: [] });
  const snapshot = await readSnapshot(dataDir, name);
  for (const volume of ['v', 'w']) expect(await valuesOf(readerOf(snapshot, `${volume}.t`))).toEqual(VALUES);
  expect(readFileSync(snapshot.filePath('tables/deep/large')!, 'utf8')).toBe(LARGE);
  expect(readFileSync(snapshot.filePath('tables/ä b')!, 'utf8')).toBe('');
}

test('a snapshot goes into one file and comes out of it in another data folder, equal in all', async () => {
  const { dataDir, path, archive } = await exported();
  expect(archive).toMatchObject({ path, sizeBytes: statSync(path).size, manifest: { name: NAME } });
  const other = join(temporaryFolder(), 'not-there-yet');
  const manifest = await importSnapshot(other, path);
  expect(manifest).toEqual(archive.manifest);
  expect(await listSnapshots(other)).toEqual(await listSnapshots(dataDir));
  expect(readdirSync(join(other, '.staging'))).toEqual([]);
  await expectWhole(other, NAME);
});

test('tar and sha256sum read the archive, and what they unpack is a snapshot', async () => {
  const { path } = await exported();
  const other = temporaryFolder();
  mkdirSync(join(other, '.snapshots'));
  execFileSync('tar', ['-xf', path, '-C', join(other, '.snapshots')]);
  const checked = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: join(other, '.snapshots', NAME) });
  expect(String(checked)).toContain('v/journal/0000000001.segment: OK');
  await expectWhole(other, NAME);
});

test('the manifest comes first and the checksums of everything last', async () => {
  const { path } = await exported();
  const names = (await entriesOf(path)).map(({ name }) => name);
  expect(names.slice(0, 2)).toEqual([`${NAME}/manifest.json`, `${NAME}/checkpoint.json`]);
  expect(names.at(-1)).toBe(`${NAME}/SHA256SUMS`);
  const sums = String((await entriesOf(path)).at(-1)!.content)
    .trim()
    .split('\n');
  expect(sums.map((line) => `${NAME}/${line.slice(66)}`).sort()).toEqual(names.slice(0, -1).sort());
});

test('an imported snapshot may have another name of the same volume', async () => {
  const { dataDir, path } = await exported();
  await expect(importSnapshot(dataDir, path)).rejects.toMatchObject({ code: 'snapshot-exists' });
  const manifest = await importSnapshot(dataDir, path, { as: 'v@again' });
  expect(manifest).toMatchObject({ name: 'v@again', pins: { pin: 1 } });
  await expectWhole(dataDir, 'v@again');
  await expect(importSnapshot(dataDir, path, { as: 'w@again' })).rejects.toMatchObject({ code: 'illegal-name' });
  await expect(importSnapshot(dataDir, path, { as: '../x' })).rejects.toMatchObject({ code: 'illegal-name' });
});

test('a volume of a live engine is exported through a snapshot that is gone again', async () => {
  const { dataDir, engine } = await exported();
  const path = join(dataDir, 'w.tar');
  const { manifest } = await exportVolume(engine, dataDir, 'w', path);
  expect((await listSnapshots(dataDir)).map(({ name }) => name)).toEqual([NAME]);
  const other = temporaryFolder();
  await importSnapshot(other, path, { as: 'w@moved' });
  expect(await valuesOf(readerOf(await readSnapshot(other, 'w@moved'), 'w.t'))).toEqual(VALUES);
  expect(manifest.volumes).toEqual(['w']);
});

test('progress goes up to the end, in both ways', async () => {
  const { dataDir, path } = await exported();
  const told: { done: number; total: number }[][] = [[], []];
  await exportSnapshot(dataDir, NAME, `${path}2`, { onProgress: (progress) => told[0]!.push(progress) });
  await importSnapshot(temporaryFolder(), path, { onProgress: (progress) => told[1]!.push(progress) });
  for (const steps of told) {
    const { done, total } = steps.at(-1)!;
    expect([done, steps.length > 4]).toEqual([total, true]);
    expect(steps.map((step) => step.done)).toEqual(steps.map((step) => step.done).sort((a, b) => a - b));
  }
});

test('what is damaged is not exported, nor is anything put over a file that is there', async () => {
  const { dataDir, path } = await exported();
  const before = readFileSync(path);
  await expect(exportSnapshot(dataDir, NAME, path)).rejects.toMatchObject({ code: 'file-exists' });
  expect(readFileSync(path).equals(before)).toBe(true);
  await expect(exportSnapshot(dataDir, 'v@no', `${path}2`)).rejects.toMatchObject({ code: 'unknown-snapshot' });
  await expect(exportSnapshot(dataDir, NAME, join(dataDir, 'no/x.tar'))).rejects.toMatchObject({
    code: 'folder-unusable',
  });
  truncateSync(join(dataDir, '.snapshots', NAME, 'w/journal/0000000001.segment'), 100);
  await expect(exportSnapshot(dataDir, NAME, `${path}2`)).rejects.toMatchObject({ code: 'snapshot-damaged' });
  expect(readdirSync(dataDir).filter((name) => name.startsWith('x.tar'))).toEqual(['x.tar']);
});

test('a full disk is told as that, and nothing stays of either way', async () => {
  const { dataDir, path } = await exported();
  const disk = new FailingDisk();
  Object.assign(disk, { failing: 'write', failingPath: 'out.tar', code: 'ENOSPC' });
  await expect(exportSnapshot(dataDir, NAME, join(dataDir, 'out.tar'), { disk })).rejects.toMatchObject({
    code: 'disk-full',
  });
  expect(readdirSync(dataDir).filter((name) => name.startsWith('out'))).toEqual([]);
  const other = temporaryFolder();
  Object.assign(disk, { failing: 'write', failingPath: 'large', code: 'ENOSPC' });
  await expect(importSnapshot(other, path, { disk })).rejects.toMatchObject({ code: 'disk-full' });
  expectNothing(other);
});

test('both ways end when they are told to, and leave nothing', async () => {
  const { dataDir, path } = await exported();
  for (const work of [
    (other: string, options: object) => exportSnapshot(dataDir, NAME, join(other, 'out.tar'), options),
    (other: string, options: object) => importSnapshot(other, path, options),
  ]) {
    const other = temporaryFolder();
    const stop = new AbortController();
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      if (done > total * 0.4) stop.abort(new Error('enough'));
    };
    await expect(work(other, { signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expectNothing(other);
    expect(existsSync(join(other, 'out.tar')) || existsSync(join(other, 'out.tar.tmp'))).toBe(false);
  }
});

interface Archived {
  name: string;
  content: Buffer;
  type?: 'file' | 'symlink';
}

async function entriesOf(path: string): Promise<Archived[]> {
  const archive = extract();
  archive.end(readFileSync(path));
  const entries: Archived[] = [];
  for await (const entry of archive) entries.push({ name: entry.header.name, content: await buffer(entry) });
  return entries;
}

async function archiveOf(entries: readonly Archived[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, type = 'file' } of entries) {
    if (type === 'file') archive.entry({ name }, content);
    else archive.entry({ name, type, linkname: '/etc/passwd' });
  }
  archive.finalize();
  return buffer(archive);
}

/** With checksums that are right for what it holds. */
function summed(entries: readonly Archived[]): Archived[] {
  const content = entries.filter(({ name }) => !name.endsWith('SHA256SUMS'));
  const lines = content.map(
    (entry) => `${createHash('sha256').update(entry.content).digest('hex')}  ${entry.name.slice(NAME.length + 1)}\n`,
  );
  return [...content, { name: `${NAME}/SHA256SUMS`, content: Buffer.from(lines.join('')) }];
}

const edit = (entries: Archived[], ending: string, change: (content: Buffer) => Buffer): Archived[] =>
  entries.map((entry) =>
    entry.name.endsWith(ending) ? { ...entry, content: change(Buffer.from(entry.content)) } : entry,
  );

const flipped =
  (at: number) =>
  (content: Buffer): Buffer => {
    content[at]! ^= 4;
    return content;
  };

const fileRow =
  (path: string) =>
  (content: Buffer): Buffer => {
    const manifest = JSON.parse(content.toString());
    manifest.files[0].path = path;
    return Buffer.from(JSON.stringify(manifest));
  };

const damages: [string, (entries: Archived[]) => Archived[], RegExp][] = [
  ['a flipped bit in a segment', (all) => edit(all, '2.segment', flipped(500)), /0000000002\.segment does not match/],
  ['a flipped bit in a file', (all) => edit(all, 'large', flipped(5)), /large does not match/],
  ['a flipped bit in its checksums', (all) => edit(all, 'SHA256SUMS', flipped(3)), /does not match/],
  ['a segment that was damaged before', (all) => summed(edit(all, '2.segment', flipped(200))), /0000000002\.segment/],
  ['no checksums', (all) => all.slice(0, -1), /ends too early/],
  ['a file missing', (all) => all.filter(({ name }) => !name.endsWith('large')), /large is missing/],
  ['a file twice', (all) => [...all.slice(0, 3), ...all.slice(2)], /does not belong there/],
  ['another order', (all) => [all[1]!, all[0]!, ...all.slice(2)], /begins with/],
  [
    'a further file',
    (all) => [...all.slice(0, 2), { name: `${NAME}/more`, content: Buffer.from('x') }, ...all.slice(2)],
    /more/,
  ],
  [
    'a file beside the snapshot',
    (all) => [...all.slice(0, 2), { name: '../x', content: Buffer.from('x') }, ...all.slice(2)],
    /\.\.\/x/,
  ],
  [
    'a name with ..',
    (all) => [...all.slice(0, 2), { name: `${NAME}/../../x`, content: Buffer.from('x') }, ...all.slice(2)],
    /x/,
  ],
  ['a link', (all) => [...all.slice(0, 2), { ...all[2]!, type: 'symlink' }, ...all.slice(3)], /does not belong there/],
  [
    'a manifest that names a file outside',
    (all) => summed(edit(all, 'manifest.json', fileRow('tables/../../../x'))),
    /none of a snapshot/,
  ],
  [
    'a manifest that is none',
    (all) => summed(edit(all, 'manifest.json', () => Buffer.from('[]'))),
    /none of a snapshot/,
  ],
  [
    'a checkpoint that is none',
    (all) => summed(edit(all, 'checkpoint.json', () => Buffer.from('{}'))),
    /none of a snapshot/,
  ],
  ['something else in it', () => [{ name: 'readme.txt', content: Buffer.from('hello') }], /begins with "readme\.txt"/],
  ['nothing in it', () => [], /empty/],
];

test.each(damages)('an archive with %s is refused, and nothing is kept', async (_, damage, message) => {
  const { path } = await exported();
  const other = temporaryFolder();
  const damaged = join(other, 'damaged.tar');
  writeFileSync(damaged, await archiveOf(damage(await entriesOf(path))));
  const refusal = { code: 'archive-damaged', message: expect.stringMatching(message) };
  await expect(importSnapshot(other, damaged)).rejects.toMatchObject(refusal);
  expectNothing(other);
});

test('an archive that ends early, anywhere, or is no archive at all is refused, and nothing is kept', async () => {
  const { path } = await exported();
  const other = temporaryFolder();
  const bytes = readFileSync(path);
  const cut = join(other, 'cut.tar');
  for (const share of [0, 0.0001, 0.001, 0.01, 0.3, 0.7, 0.95, 0.99]) {
    writeFileSync(cut, bytes.subarray(0, Math.floor(bytes.length * share)));
    await expect(importSnapshot(other, cut)).rejects.toMatchObject({ code: 'archive-damaged' });
    expectNothing(other);
  }
  writeFileSync(cut, Buffer.alloc(5000, 'no tar. '));
  await expect(importSnapshot(other, cut)).rejects.toMatchObject({ code: 'archive-damaged' });
  await expect(importSnapshot(other, join(other, 'no.tar'))).rejects.toMatchObject({ code: 'unknown-file' });
  await expect(importSnapshot(other, other)).rejects.toMatchObject({ code: 'unknown-file' });
  expectNothing(other);
});

test('an archive of a newer format is called that', async () => {
  const { path } = await exported();
  const other = temporaryFolder();
  const newer = (content: Buffer): Buffer =>
    Buffer.from(content.toString().replace('"formatVersion": 2', '"formatVersion": 99'));
  writeFileSync(join(other, 'newer.tar'), await archiveOf(summed(edit(await entriesOf(path), 'manifest.json', newer))));
  await expect(importSnapshot(other, join(other, 'newer.tar'))).rejects.toMatchObject({ code: 'format-newer' });
  expectNothing(other);
});

test('bytes behind the end of an archive do no harm', async () => {
  const { path } = await exported();
  appendFileSync(path, Buffer.alloc(10_240));
  const other = temporaryFolder();
  await importSnapshot(other, path);
  await expectWhole(other, NAME);
});

test('a crash at any call of an import leaves the snapshot whole or nothing of it', { timeout: 120_000 }, async () => {
  const { path } = await exported();
  const counted = stoppingDisk(Number.POSITIVE_INFINITY);
  await importSnapshot(temporaryFolder(), path, { disk: counted.disk });
  expect(counted.calls()).toBeGreaterThan(30);
  for (let stopAt = 0; stopAt < counted.calls(); stopAt += stopAt < 5 || stopAt > counted.calls() - 12 ? 1 : 7) {
    const dataDir = temporaryFolder();
    await importSnapshot(dataDir, path, { disk: stoppingDisk(stopAt).disk }).catch((error) => {
      if (!isStopped(error)) throw error;
    });
    const names = (await listSnapshots(dataDir)).map(({ name }) => name);
    const engine = await openEngine({ dataDir });
    expect((await listSnapshots(dataDir)).map(({ name }) => name)).toEqual(names);
    if (names.length > 0) await expectWhole(dataDir, NAME);
    else await importSnapshot(dataDir, path);
    await engine.close();
  }
});
