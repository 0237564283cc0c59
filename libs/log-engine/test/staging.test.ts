import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { LogEngine, StagedVolume } from '../src/api.ts';
import { nodeDisk } from '../src/disk.ts';
import { isFolderOwned } from '../src/folder-lock.ts';
import { stageVolume } from '../src/staged-volume.ts';
import { numberedBatch } from './batches.ts';
import { kill, startChild } from './child.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

const stagingOf = (dataDir: string): string[] => readdirSync(join(dataDir, '.staging'));

async function fill(engine: LogEngine, topic: string, count = 3): Promise<string[]> {
  await engine.createTopic(topic, { partitionCount: 1 });
  for (let i = 0; i < count; i++) await logOf(engine, topic).append(numberedBatch(`v${i}`), 'none');
  return Array.from({ length: count }, (_, i) => `v${i}-0`);
}

async function stagedWithRecords(dataDir: string, volume = 'x'): Promise<StagedVolume> {
  const staged = await stageVolume(dataDir, volume);
  await fill(staged.engine, `${volume}.t`);
  return staged;
}

test('a staged volume is seen by nobody until it is adopted, then it is a volume like any other', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stageVolume(dataDir, 'x', { segmentBytes: 2000 });
  expect(staged).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{24}-\d+$/), volume: 'x' });
  const values = await fill(staged.engine, 'x.t', 60);
  const committed = { topic: 'x.t', partition: 0, offset: 7n, leaderEpoch: 0, metadata: '' };
  await staged.engine.commitOffsets('x.reader', [committed]);
  mkdirSync(join(dataDir, '.staging', staged.id, 'x', 'tables'));
  writeFileSync(join(dataDir, '.staging', staged.id, 'x', 'tables', 'part'), 'part');
  await staged.finish();
  expect([engine.volumes(), engine.topics()]).toEqual([[], []]);

  expect(await engine.adoptVolume(staged.id)).toEqual(engine.volumes()[0]);
  await staged.discard();
  expect(stagingOf(dataDir)).toEqual([]);
  expect(await valuesOf(logOf(engine, 'x.t'))).toEqual(values);
  expect(engine.committedOffsets('x.reader')).toEqual([committed]);
  expect(readFileSync(join(dataDir, 'x', 'tables', 'part'), 'utf8')).toBe('part');
  await logOf(engine, 'x.t').append(numberedBatch('more'), 'synced');
  await engine.createSnapshot('x@s', {});
  await engine.close();
  const reopened = await openEngine({ dataDir });
  expect(await valuesOf(logOf(reopened, 'x.t'))).toEqual([...values, 'more-0']);
});

test('a staged volume that got no topic is adopted as an empty one', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stageVolume(dataDir, 'x');
  await staged.finish();
  await engine.adoptVolume(staged.id);
  await staged.discard();
  expect([engine.volumes().map(({ name }) => name), engine.topics()]).toEqual([['x'], []]);
  await fill(engine, 'x.t');
  expect(engine.volumes().map(({ name }) => name)).toEqual(['x']);
});

test('what is larger than the volume quota of the engine is not adopted, and not cut either', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, volumeQuotaBytes: 10_000 });
  const staged = await stageVolume(dataDir, 'x', { segmentBytes: 2000 });
  await fill(staged.engine, 'x.t', 200);
  await staged.finish();
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({
    code: 'volume-full',
    message: expect.stringMatching(/x has \d{5} bytes; .* 10000 bytes/),
    mend: expect.stringContaining('VOLUME_QUOTA_BYTES'),
  });
  expect([engine.volumes(), existsSync(join(dataDir, 'x'))]).toEqual([[], false]);
  await engine.close();

  const larger = await openEngine({ dataDir });
  await larger.adoptVolume(staged.id);
  await staged.discard();
  expect(await valuesOf(logOf(larger, 'x.t'))).toHaveLength(200);
});

test('a staged engine takes topics and groups of its volume only', async () => {
  const staged = await stageVolume(temporaryFolder(), 'x');
  const refusal = { code: 'illegal-name', message: 'only volume x is staged here, not y' };
  await expect(staged.engine.createTopic('y.t', { partitionCount: 1 })).rejects.toMatchObject(refusal);
  const offset = { topic: 'x.t', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' };
  await expect(staged.engine.commitOffsets('y.g', [offset])).rejects.toMatchObject(refusal);
  await staged.discard();
});

test.each(['', 'X', 'a.b', '.x', '../x', 'a/b', 'x'.repeat(101)])('a volume cannot be staged as %j', async (volume) => {
  const dataDir = temporaryFolder();
  await expect(stageVolume(dataDir, volume)).rejects.toMatchObject({ code: 'illegal-name' });
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a volume that exists is neither staged nor adopted over', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const early = await stagedWithRecords(dataDir);
  const twin = await stagedWithRecords(dataDir);
  await early.finish();
  await twin.finish();
  const results = await Promise.allSettled([early, twin].map(({ id }) => engine.adoptVolume(id)));
  const refusal = { code: 'volume-exists', message: 'there is a volume x already' };
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refusal });
  await expect(stageVolume(dataDir, 'x')).rejects.toMatchObject(refusal);
  for (const staged of [early, twin]) await staged.discard();
  expect(await valuesOf(logOf(engine, 'x.t'))).toEqual(['v0-0', 'v1-0', 'v2-0']);
});

test('a folder with tables but no journal yet counts as a volume that exists', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stagedWithRecords(dataDir);
  await staged.finish();
  mkdirSync(join(dataDir, 'x', 'tables'), { recursive: true });
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({ code: 'volume-exists' });
  await engine.deleteVolume('x');
  await engine.adoptVolume(staged.id);
  await staged.discard();
});

test('a topic that is created while its volume is adopted lands in the adopted volume', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stagedWithRecords(dataDir);
  await staged.finish();
  const adopting = engine.adoptVolume(staged.id);
  await Promise.all([adopting, adopting.then(() => engine.createTopic('x.u', { partitionCount: 1 }))]);
  await staged.discard();
  expect(engine.topics().map(({ name }) => name)).toEqual(['x.t', 'x.u']);
});

test('a volume whose adoption failed behind its move keeps its records when a topic is created in it', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir }, disk);
  const staged = await stagedWithRecords(dataDir);
  await staged.finish();
  // The first folder that is synced behind the move.
  disk.beforeRename = async (_, to) => {
    if (to === join(dataDir, 'x')) Object.assign(disk, { failing: 'syncFolder', failingPath: dataDir });
  };
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({ code: 'EIO' });
  expect([engine.volumes(), existsSync(join(dataDir, 'x'))]).toEqual([[], true]);
  disk.failing = undefined;
  await engine.createTopic('x.u', { partitionCount: 1 });
  await staged.discard();
  expect(engine.topics().map(({ name }) => name)).toEqual(['x.t', 'x.u']);
  expect(await valuesOf(logOf(engine, 'x.t'))).toEqual(['v0-0', 'v1-0', 'v2-0']);
});

test('a staging folder that cannot be removed does not fail the adoption that is done', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir }, disk);
  const staged = await stagedWithRecords(dataDir);
  await staged.finish();
  disk.removeFolder = (path) => Promise.reject(new Error(`EACCES: ${path}`));
  expect(await engine.adoptVolume(staged.id)).toMatchObject({ name: 'x' });
  expect(engine.events).toContainEqual({ kind: 'leftover-stays', detail: expect.stringContaining(staged.id) });
  await staged.discard();
});

test('only a finished staging that is there is adopted', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stagedWithRecords(dataDir);
  const refusal = { code: 'unknown-staging' };
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({ ...refusal, mend: /Finish it first/ });
  for (const id of ['', '..', '../x', `../.staging/${staged.id}`, `${staged.id}/x`, `${'f'.repeat(24)}-1`]) {
    await expect(engine.adoptVolume(id)).rejects.toMatchObject({
      ...refusal,
      message: `no volume is staged as "${id}"`,
    });
  }
  await staged.finish();
  await engine.adoptVolume(staged.id);
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject(refusal);
  await staged.discard();
  const discarded = await stagedWithRecords(dataDir, 'y');
  await discarded.finish();
  await discarded.discard();
  await expect(engine.adoptVolume(discarded.id)).rejects.toMatchObject(refusal);
  expect(engine.volumes().map(({ name }) => name)).toEqual(['x']);
});

test('a discarded volume leaves nothing, finished or not, once or twice', async () => {
  const dataDir = temporaryFolder();
  for (const finished of [true, false]) {
    const staged = await stagedWithRecords(dataDir);
    if (finished) await staged.finish();
    await Promise.all([staged.discard(), staged.discard()]);
    await staged.discard();
    expect(stagingOf(dataDir)).toEqual([]);
  }
  expect(readdirSync(dataDir)).toEqual(['.staging']);
});

test('a staged journal that cannot be opened is not moved in', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stagedWithRecords(dataDir);
  await staged.finish();
  const segment = join(dataDir, '.staging', staged.id, 'x', 'journal', '0000000001.segment');
  writeFileSync(segment, 'no segment at all');
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({ code: 'not-a-segment' });
  expect(existsSync(join(dataDir, 'x'))).toBe(false);
  await staged.discard();
  expect(stagingOf(dataDir)).toEqual([]);
});

test('a staged volume that could not be written whole is not finished', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const disk = new FailingDisk();
  const staged = await stageVolume(dataDir, 'x', { disk });
  await fill(staged.engine, 'x.t', 0);
  Object.assign(disk, { failing: 'write', code: 'ENOSPC' });
  await logOf(staged.engine, 'x.t').append(numberedBatch('lost'), 'none');
  await expect(staged.finish()).rejects.toMatchObject({ message: /disk is full/, mend: /Make room/ });
  await expect(engine.adoptVolume(staged.id)).rejects.toMatchObject({ code: 'unknown-staging' });
  await staged.discard();
});

test('a full disk while a volume is staged is called that, and nothing stays', async () => {
  const dataDir = temporaryFolder();
  const disk = new FailingDisk();
  disk.code = 'ENOSPC';
  disk.makeFolder = (path) =>
    path.endsWith('/x')
      ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
      : nodeDisk.makeFolder(path);
  await expect(stageVolume(dataDir, 'x', { disk })).rejects.toMatchObject({ code: 'disk-full' });
  expect(stagingOf(dataDir)).toEqual([]);
});

/** Starts a process that stages volume `x`, `finished` or not, and stays; gives the staging's id. */
async function stageElsewhere(dataDir: string, state: 'finished' | 'open') {
  const child = startChild('staging-child.mjs', [dataDir, state]);
  for await (const id of createInterface({ input: child.stdout })) return { child, id };
  throw new Error('the child said nothing');
}

test('what another live process stages is left alone, finished or not, and can be adopted', async () => {
  const dataDir = temporaryFolder();
  const writing = await stageElsewhere(dataDir, 'open');
  const finished = await stageElsewhere(dataDir, 'finished');
  const engine = await openEngine({ dataDir });
  await (await stageVolume(dataDir, 'y')).discard();
  expect(stagingOf(dataDir)).toEqual(expect.arrayContaining([writing.id, finished.id]));
  await expect(engine.adoptVolume(writing.id)).rejects.toMatchObject({ code: 'unknown-staging' });
  await engine.adoptVolume(finished.id);
  expect(await valuesOf(logOf(engine, 'x.t'))).toEqual(['v0-0', 'v1-0', 'v2-0']);
});

test.each(['the data folder is opened', 'the next volume is staged'])(
  'what a killed process staged is removed when %s',
  async (when) => {
    const dataDir = temporaryFolder();
    const left = [await stageElsewhere(dataDir, 'open'), await stageElsewhere(dataDir, 'finished')];
    for (const { child } of left) await kill(child);
    expect(stagingOf(dataDir)).toEqual(expect.arrayContaining(left.map(({ id }) => id)));
    if (when === 'the data folder is opened') await openEngine({ dataDir });
    else await (await stageVolume(dataDir, 'y')).discard();
    expect(stagingOf(dataDir)).toEqual([]);
  },
);

test('a removal of a killed process’ staging that was interrupted itself is finished', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, '.staging', `${'a'.repeat(24)}-1.tmp`, 'x'), { recursive: true });
  mkdirSync(join(dataDir, '.staging', 'not-ours'));
  await openEngine({ dataDir });
  expect(stagingOf(dataDir)).toEqual(['not-ours']);
});

test('a sign of life without its folder goes with its process, not before', async () => {
  const dataDir = temporaryFolder();
  const { child } = await stageElsewhere(dataDir, 'open');
  await kill(child);
  const [dead, alive] = [child.pid, process.pid].map((pid) => `${'a'.repeat(24)}-${pid}.sock`);
  for (const name of [dead!, alive!]) writeFileSync(join(dataDir, '.staging', name), '');
  await openEngine({ dataDir });
  expect(stagingOf(dataDir)).toEqual([alive]);
});

test('staging works in a folder whose path is too long for a socket', async () => {
  const dataDir = join(temporaryFolder(), 'long'.repeat(30));
  const engine = await openEngine({ dataDir });
  const first = await stagedWithRecords(dataDir);
  await first.finish();
  await (await stageVolume(dataDir, 'y')).discard();
  await engine.adoptVolume(first.id);
  await first.discard();
  expect(stagingOf(dataDir)).toEqual([]);
});

test('whether a folder is owned is seen without taking it', async () => {
  const dataDir = temporaryFolder();
  expect(await isFolderOwned(join(dataDir, 'missing'))).toBe(false);
  expect(await isFolderOwned(dataDir)).toBe(false);
  const engine = await openEngine({ dataDir });
  expect(await isFolderOwned(dataDir)).toBe(true);
  await engine.close();
  expect(await isFolderOwned(dataDir)).toBe(false);
  const child = startChild('writing-child.mjs', [dataDir]);
  for await (const _ of createInterface({ input: child.stdout })) {
    expect(await isFolderOwned(dataDir)).toBe(true);
    await kill(child);
    break;
  }
  expect(await isFolderOwned(dataDir)).toBe(false);
});

test('leftovers that cannot be removed are told, and keep no data folder from being opened nor volume from being staged', async () => {
  const dataDir = temporaryFolder();
  const id = `${'a'.repeat(24)}-1`;
  const stuck = [join('.snapshots', 'v@x.tmp'), join('.staging', id), '.trash-v-1'];
  const gone = join('.staging', `${'b'.repeat(24)}-1.tmp`);
  for (const path of [...stuck, gone]) mkdirSync(join(dataDir, path), { recursive: true });
  const disk = new FailingDisk();
  disk.removeFolder = (path) =>
    path.endsWith(gone) ? nodeDisk.removeFolder(path) : Promise.reject(new Error(`EACCES: ${path}`));
  const engine = await openEngine({ dataDir }, disk);
  const left = stuck.map((path) => ({ kind: 'leftover-stays', detail: expect.stringContaining(join(dataDir, path)) }));
  expect(engine.events).toEqual(left);
  expect(existsSync(join(dataDir, gone))).toBe(false);
  const staged = await stageVolume(dataDir, 'x', { disk });
  disk.removeFolder = nodeDisk.removeFolder;
  await staged.discard();
});

test('a sign of life that cannot be looked at counts as one', async () => {
  const dataDir = temporaryFolder();
  const id = `${'a'.repeat(24)}-1`;
  mkdirSync(join(dataDir, '.staging', id), { recursive: true });
  // A socket cannot be asked through links that lead round in a circle.
  symlinkSync(`${id}.sock`, join(dataDir, '.staging', `${id}.sock`));
  const engine = await openEngine({ dataDir });
  expect(engine.events.map(({ kind }) => kind)).toContain('leftover-stays');
  expect(stagingOf(dataDir)).toContain(id);
});
