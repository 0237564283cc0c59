import { expect, test, vi } from 'vitest';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';

test.each(['write', 'sync'] as const)(
  'a %s that fails stops the volume, is never tried again, and spares the others',
  async (operation) => {
    const dataDir = temporaryFolder();
    const disk = new FailingDisk();
    const engine = await openEngine({ dataDir }, disk);
    await engine.createTopic('bad.t', { partitionCount: 1 });
    await engine.createTopic('good.t', { partitionCount: 1 });
    const log = logOf(engine, 'bad.t');
    await log.append(numberedBatch('kept'), 'synced');

    disk.failing = operation;
    const lost = await Promise.allSettled(Array.from({ length: 3 }, () => log.append(numberedBatch('lost'), 'synced')));
    expect(lost.map((result) => result.status === 'rejected' && result.reason)).toEqual(
      Array(3).fill(expect.objectContaining({ code: 'volume-stopped', message: expect.stringContaining('EIO') })),
    );
    expect(disk.callsSinceFailure).toBe(1);

    disk.failing = undefined;
    await expect(log.append(numberedBatch('late'), 'synced')).rejects.toMatchObject({ code: 'volume-stopped' });
    await expect(engine.createTopic('bad.u', { partitionCount: 1 })).rejects.toMatchObject({ code: 'volume-stopped' });
    expect(engine.volumes().find(({ name }) => name === 'bad')?.stopped?.reason).toContain('EIO');
    expect(engine.events.map(({ kind }) => kind)).toContain('volume-stopped');
    expect(await valuesOf(log)).toEqual(['kept-0']);
    await expect(logOf(engine, 'good.t').append(numberedBatch('fine'), 'synced')).resolves.toBeDefined();

    await engine.close();
    const reopened = await openEngine({ dataDir });
    expect((await valuesOf(logOf(reopened, 'bad.t')))[0]).toBe('kept-0');
  },
);

test.each([
  ['create', '.segment'],
  ['write', '.segment.tmp'],
  ['sync', '.segment.tmp'],
  ['rename', '.segment'],
  ['syncFolder', 'journal'],
  ['create', '.index'],
  ['sync', '.index'],
  ['rename', '.index'],
] as const)(
  'a %s of %s that fails while a segment is ended is never tried again, stops the volume, and loses nothing acknowledged',
  async (operation, path) => {
    const dataDir = temporaryFolder();
    const disk = new FailingDisk();
    const engine = await openEngine({ dataDir, segmentBytes: 1024 }, disk);
    await engine.createTopic('t', { partitionCount: 1 });
    const log = logOf(engine, 't');
    const acknowledged: string[] = [];
    disk.failing = operation;
    disk.failingPath = path;
    let failure: unknown;
    for (let i = 0; failure === undefined; i++) {
      await log.append(numberedBatch(`v${i}`), 'synced').then(
        () => acknowledged.push(`v${i}-0`),
        (error) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ code: 'volume-stopped', message: expect.stringContaining('EIO') });
    expect(disk.callsSinceFailure).toBe(1);
    expect(await valuesOf(log)).toEqual(acknowledged);
    await engine.close();
    const reopened = await valuesOf(logOf(await openEngine({ dataDir }), 't'));
    expect(reopened.slice(0, acknowledged.length)).toEqual(acknowledged);
  },
);

test('with visibility synced readers wait for the sync, with written they do not', async () => {
  for (const [visibility, seen] of [
    ['synced', []],
    ['written', ['a-0']],
  ] as const) {
    const disk = new FailingDisk();
    const engine = await openEngine({ dataDir: temporaryFolder(), visibility }, disk);
    await engine.createTopic('t', { partitionCount: 1 });
    const log = logOf(engine, 't');
    disk.failing = 'sync';
    await log.append(numberedBatch('a'), 'written');
    expect(await valuesOf(log)).toEqual(seen);
    expect(log.logEndOffset).toBe(1n);
  }
});

test('a full disk is called that, with what to do, by the append, the event and the volume', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  disk.code = 'ENOSPC';
  disk.failing = 'write';
  const fullDisk = { code: 'disk-full', mend: expect.stringContaining('Make room') };
  await expect(logOf(engine, 'v.t').append(numberedBatch('a'), 'synced')).rejects.toMatchObject(fullDisk);
  await expect(logOf(engine, 'v.t').append(numberedBatch('a'), 'synced')).rejects.toMatchObject(fullDisk);
  const reason = expect.stringContaining('volume v stopped, its disk is full');
  expect(engine.volumes()[0]!.stopped).toEqual({ reason, mend: fullDisk.mend });
  expect(engine.events.at(-1)).toEqual({ kind: 'volume-stopped', volume: 'v', detail: reason, mend: fullDisk.mend });
});

test('what a stopped volume could not write does not keep the memory of the others from being bounded', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('bad.t', { partitionCount: 1 });
  await engine.createTopic('good.t', { partitionCount: 1 });
  let release = (): void => undefined;
  disk.released = new Promise((resolve) => {
    release = resolve;
  });
  disk.failing = 'write';
  const onTheWay = logOf(engine, 'bad.t').append(numberedBatch('on the way'), 'synced');
  await vi.waitFor(() => expect(disk.callsSinceFailure).toBe(1));
  const behindIt = logOf(engine, 'bad.t').append(numberedBatch('behind it'), 'synced');
  release();
  await Promise.allSettled([onTheWay, behindIt]);

  disk.failing = undefined;
  const good = logOf(engine, 'good.t');
  const megabyte = numberedBatch('x'.repeat(500_000));
  for (let i = 0; i < 20; i++) await good.append(megabyte, 'synced');
  expect(disk.filesOpenedForReading).toBe(0);
  await good.read(0n, 1);
  expect(disk.filesOpenedForReading).toBe(1);
});

test('a disk that fails while the engine closes is told, and the append learns it', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  await engine.createTopic('v.t', { partitionCount: 1 });
  disk.failing = 'sync';
  const append = logOf(engine, 'v.t').append(numberedBatch('a'), 'synced');
  const closing = engine.close();
  await expect(append).rejects.toThrow('EIO');
  await closing;
  expect(engine.events.map(({ kind }) => kind)).toContain('volume-stopped');
});
