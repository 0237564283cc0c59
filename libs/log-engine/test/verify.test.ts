import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { expect, test } from 'vitest';
import { DIRECTORY_ROW, INDEX_HEADER } from '../src/layout.ts';
import { verifySnapshot } from '../src/snapshot-verification.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const LARGE = 'x'.repeat(3_000_000);

/** Two frozen volumes of several segments, with files; the volumes themselves are gone. */
async function frozen(): Promise<{ dataDir: string; folder: string }> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 2000 });
  for (const volume of ['v', 'w']) {
    await engine.createTopic(`${volume}.t`, { partitionCount: 2 });
    for (let i = 0; i < 60; i++) {
      await logOf(engine, `${volume}.t`, i % 2).append(numberedBatch(`v${i}`, 2), 'written');
    }
  }
  mkdirSync(join(dataDir, 'v', 'files'), { recursive: true });
  writeFileSync(join(dataDir, 'v', 'files', 'large'), LARGE);
  writeFileSync(join(dataDir, 'v', 'files', 'small'), 'small');
  writeFileSync(join(dataDir, 'draft'), 'part');
  await engine.publishFile('w', 'tables/part', join(dataDir, 'draft'));
  await engine.createSnapshot('v@x', {}, { volumes: ['w'] });
  const folder = join(dataDir, '.snapshots', 'v@x');
  await hashed(folder);
  for (const volume of ['v', 'w']) await engine.deleteVolume(volume);
  await engine.close();
  return { dataDir, folder };
}

/** Resolves when the engine has hashed the files that nobody had hashed before. */
async function hashed(folder: string): Promise<void> {
  while (existsSync(join(folder, 'SHA256SUMS.pending'))) await new Promise(setImmediate);
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}

function writeWithoutRowCrcs(path: string): void {
  const { at: head, sizeBytes: headerBytes } = INDEX_HEADER;
  const bytes = readFileSync(path);
  const rows = bytes.readUInt32LE(head.partitionCount);
  const directory = bytes.subarray(headerBytes, headerBytes + rows * DIRECTORY_ROW.sizeBytes);
  for (let i = 0; i < rows; i++) directory.writeUInt32LE(0, i * DIRECTORY_ROW.sizeBytes + DIRECTORY_ROW.at.entriesCrc);
  bytes.writeUInt32LE(crc32c(directory), head.directoryCrc);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, head.crc)), head.crc);
  writeFileSync(path, bytes);
}

test('a whole snapshot verifies: every batch, every file with its hash, and nothing is written', async () => {
  const { dataDir, folder } = await frozen();
  const before = readdirSync(folder, { recursive: true }).sort();
  const told: number[] = [];
  const found = await verifySnapshot(dataDir, 'v@x', { onProgress: ({ done }) => told.push(done) });
  expect(found).toMatchObject({ batches: 120, files: 3, unhashedFiles: 0, damages: [] });
  expect(found.segments).toBeGreaterThan(6);
  expect(told.at(-1)).toBe(found.manifest.sizeBytes);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
});

test('a snapshot verifies whose indexes are older than the CRCs of their rows', async () => {
  const { dataDir, folder } = await frozen();
  const names = readdirSync(join(folder, 'v', 'journal')).filter((name) => name.endsWith('.index'));
  for (const name of names) writeWithoutRowCrcs(join(folder, 'v', 'journal', name));
  expect(names.length).toBeGreaterThan(3);
  expect((await verifySnapshot(dataDir, 'v@x')).damages).toEqual([]);
});

test('SHA256SUMS names the files too, as sha256sum does', async () => {
  const { folder } = await frozen();
  const lines = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
  const names = ['manifest.json', 'checkpoint.json', 'w/tables/part', 'v/files/large', 'v/files/small'];
  expect(lines.sort()).toEqual(
    names
      .map(
        (name) =>
          `${createHash('sha256')
            .update(readFileSync(join(folder, name)))
            .digest('hex')}  ${name}`,
      )
      .sort(),
  );
});

const damages: [string, (folder: string) => void, string, RegExp][] = [
  [
    'a missing segment',
    (f) => rmSync(join(f, 'v/journal/0000000002.segment')),
    'v/journal/0000000002.segment',
    /missing/,
  ],
  [
    'a short segment',
    (f) => truncateSync(join(f, 'w/journal/0000000002.segment'), 99),
    'w/journal/0000000002.segment',
    /99 bytes instead/,
  ],
  [
    'a damaged segment header',
    (f) => flip(join(f, 'v/journal/0000000001.segment'), 20),
    'v/journal/0000000001.segment',
    /segment header/,
  ],
  [
    'a flipped bit in a batch',
    (f) => flip(join(f, 'v/journal/0000000002.segment'), 900),
    'v/journal/0000000002.segment',
    /no whole frame/,
  ],
  ['a missing index', (f) => rmSync(join(f, 'v/journal/0000000002.index')), 'v/journal/0000000002.index', /missing/],
  [
    'a flipped bit in an index',
    (f) => flip(join(f, 'v/journal/0000000002.index'), 70),
    'v/journal/0000000002.index',
    /does not tell/,
  ],
  ['a missing file', (f) => rmSync(join(f, 'v/files/small')), 'v/files/small', /missing/],
  ['a short file', (f) => truncateSync(join(f, 'w/tables/part'), 1), 'w/tables/part', /1 bytes instead of 4/],
  ['a flipped bit in a file', (f) => flip(join(f, 'w/tables/part'), 2), 'w/tables/part', /does not match/],
  [
    'a flipped bit in a large file',
    (f) => flip(join(f, 'v/files/large'), 2_500_000),
    'v/files/large',
    /does not match/,
  ],
];

test.each(damages)('%s is found', async (_, damage, path, detail) => {
  const { dataDir, folder } = await frozen();
  damage(folder);
  const found = await verifySnapshot(dataDir, 'v@x');
  expect(found.damages).toContainEqual({ path, detail: expect.stringMatching(detail) });
});

test('whichever byte of a segment is flipped, it is found', async () => {
  const { dataDir, folder } = await frozen();
  const path = join(folder, 'w/journal/0000000002.segment');
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 23) {
    flip(path, at);
    const { damages } = await verifySnapshot(dataDir, 'v@x').catch((error) => ({ damages: [error] }));
    expect(damages.length, `byte ${at}`).toBeGreaterThan(0);
    writeFileSync(path, whole);
  }
});

test('a lost segment is told with the offsets that are missing for it', async () => {
  const { dataDir, folder } = await frozen();
  rmSync(join(folder, 'v/journal/0000000003.segment'));
  const details = (await verifySnapshot(dataDir, 'v@x')).damages.map(({ detail }) => detail);
  expect(details.filter((detail) => /^v\.t\/[01]: offsets \d+ to \d+ are missing$/.test(detail)).length).toBe(2);
});

test('what describes a snapshot must match, or nothing can be told of it', async () => {
  const { dataDir, folder } = await frozen();
  flip(join(folder, 'checkpoint.json'), 60);
  await expect(verifySnapshot(dataDir, 'v@x')).rejects.toMatchObject({ code: 'snapshot-damaged' });
  await expect(verifySnapshot(dataDir, 'v@y')).rejects.toMatchObject({ code: 'unknown-snapshot' });
  await expect(verifySnapshot(dataDir, 'v')).rejects.toMatchObject({ code: 'illegal-name' });
});

test('verification ends when it is told to', async () => {
  const { dataDir } = await frozen();
  const stop = new AbortController();
  const verifying = verifySnapshot(dataDir, 'v@x', {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await expect(verifying).rejects.toThrow('enough');
});

test('files that an owner had no time to hash are hashed by the next one', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  disk.sha256 = (_path, signal) =>
    new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
  const engine = await openEngine({ dataDir }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  mkdirSync(join(dataDir, 'v', 'files'));
  writeFileSync(join(dataDir, 'v', 'files', 'large'), LARGE);
  await engine.createSnapshot('v@x', {});
  await engine.close();
  expect(await verifySnapshot(dataDir, 'v@x')).toMatchObject({ files: 1, unhashedFiles: 1, damages: [] });
  const again = await openEngine({ dataDir });
  await hashed(join(dataDir, '.snapshots', 'v@x'));
  expect(again.events.filter(({ kind }) => kind === 'snapshot-unhashed')).toEqual([]);
  expect(await verifySnapshot(dataDir, 'v@x')).toMatchObject({ files: 1, unhashedFiles: 0, damages: [] });
});
