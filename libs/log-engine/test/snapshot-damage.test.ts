import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listSnapshots, SNAPSHOT_FORMAT_VERSION } from '../src/snapshot-folder.ts';
import { openSnapshot } from '../src/snapshot-reader.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const VALUES = Array.from({ length: 60 }, (_, i) => `v${i}-0`);

/** A data folder whose volume is gone, so that no damage of a test can come from or go to the live journal. */
async function frozenFolder(): Promise<{ dataDir: string; folder: string; segment: string }> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 2000 });
  await engine.createTopic('v.t', { partitionCount: 1 });
  for (let i = 0; i < VALUES.length; i++) await logOf(engine, 'v.t').append(numberedBatch(`v${i}`), 'synced');
  await engine.createSnapshot('v@x', {});
  await engine.deleteVolume('v');
  await engine.close();
  const folder = join(dataDir, '.snapshots', 'v@x');
  return { dataDir, folder, segment: join(folder, 'v', 'journal', '0000000002.segment') };
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}

/** All files below a folder with their content. */
function contentOf(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.sort().map((path) => [path, readFileSync(path, 'latin1')]));
}

const refusedDamages: [string, (folder: string, segment: string) => void, RegExp][] = [
  [
    'whose manifest has a flipped bit',
    (folder) => flip(join(folder, 'manifest.json'), 40),
    /manifest\.json does not match/,
  ],
  ['without a manifest', (folder) => rmSync(join(folder, 'manifest.json')), /has no manifest\.json/],
  ['without its checksums', (folder) => rmSync(join(folder, 'SHA256SUMS')), /has no SHA256SUMS/],
  ['with a flipped bit in its checkpoint', (folder) => flip(join(folder, 'checkpoint.json'), 40), /checkpoint\.json/],
  ['without its checkpoint', (folder) => rmSync(join(folder, 'checkpoint.json')), /has no checkpoint\.json/],
  ['that lacks a segment', (_, segment) => rmSync(segment), /0000000002\.segment is missing/],
  ['with a segment cut short', (_, segment) => truncateSync(segment, 100), /0000000002\.segment has 100 bytes/],
  ['with a damaged segment header', (_, segment) => flip(segment, 20), /does not begin with its segment header/],
];

test.each(refusedDamages)('a snapshot %s is refused as damaged', async (_, damage, text) => {
  const { dataDir, folder, segment } = await frozenFolder();
  damage(folder, segment);
  const refusal = { code: 'snapshot-damaged', message: expect.stringMatching(text) };
  await expect(openSnapshot(dataDir, 'v@x')).rejects.toMatchObject(refusal);
});

test('a batch that does not match its CRC fails the read that meets it, others succeed', async () => {
  const { dataDir, segment } = await frozenFolder();
  flip(segment, readFileSync(segment).length - 20);
  const frozen = readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t');
  await expect(valuesOf(frozen)).rejects.toMatchObject({
    code: 'snapshot-damaged',
    message: expect.stringContaining(segment),
  });
  expect((await valuesOf(frozen, 50n)).at(-1)).toBe('v59-0');
});

test.each(['missing', 'damaged'])(
  'an index that is %s is made anew in memory, and nothing is written',
  async (state) => {
    const { dataDir, folder, segment } = await frozenFolder();
    const index = segment.replace('.segment', '.index');
    if (state === 'missing') rmSync(index);
    else flip(index, readFileSync(index).length - 3);
    const before = contentOf(folder);
    const frozen = readerOf(await readSnapshot(dataDir, 'v@x'), 'v.t');
    expect(await valuesOf(frozen)).toEqual(VALUES);
    expect(await valuesOf(frozen, 30n)).toEqual(VALUES.slice(30));
    expect(contentOf(folder)).toEqual(before);
  },
);

test('a segment that is damaged and has no index is refused, not served in part', async () => {
  const { dataDir, segment } = await frozenFolder();
  rmSync(segment.replace('.segment', '.index'));
  flip(segment, readFileSync(segment).length - 20);
  await expect(openSnapshot(dataDir, 'v@x')).rejects.toMatchObject({ code: 'snapshot-damaged' });
});

test('a newer format is called that', async () => {
  const { dataDir, folder } = await frozenFolder();
  const manifest = {
    ...JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')),
    formatVersion: SNAPSHOT_FORMAT_VERSION + 1,
  };
  const text = `${JSON.stringify(manifest)}\n`;
  writeFileSync(join(folder, 'manifest.json'), text);
  writeFileSync(join(folder, 'SHA256SUMS'), `${createHash('sha256').update(text).digest('hex')}  manifest.json\n`);
  const refusal = {
    code: 'format-newer',
    message: expect.stringMatching(/has format \d+; this version reads up to \d+/),
  };
  await expect(openSnapshot(dataDir, 'v@x')).rejects.toMatchObject(refusal);
  await expect(listSnapshots(dataDir)).rejects.toMatchObject(refusal);
});

test('a damaged snapshot fails the list, unless who asks wants to be told of it apart', async () => {
  const { dataDir, folder } = await frozenFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('w.t', { partitionCount: 1 });
  await engine.createSnapshot('w@x', {});
  flip(join(folder, 'manifest.json'), 40);
  await expect(listSnapshots(dataDir)).rejects.toMatchObject({ code: 'snapshot-damaged' });
  const told: string[] = [];
  const manifests = await listSnapshots(dataDir, ({ code }) => told.push(code));
  expect([manifests.map(({ name }) => name), told]).toEqual([['w@x'], ['snapshot-damaged']]);
});
