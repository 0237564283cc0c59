import { expect, test } from 'vitest';
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
    expect(engine.volumes().find(({ name }) => name === 'bad')?.stopped).toContain('EIO');
    expect(engine.events.map(({ kind }) => kind)).toContain('volume-stopped');
    expect(await valuesOf(log)).toEqual(['kept-0']);
    await expect(logOf(engine, 'good.t').append(numberedBatch('fine'), 'synced')).resolves.toBeDefined();

    await engine.close();
    const reopened = await openEngine({ dataDir });
    expect((await valuesOf(logOf(reopened, 'bad.t')))[0]).toBe('kept-0');
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
