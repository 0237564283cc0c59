import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEngine } from '../src/api.ts';
import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';
import { stageVolume } from '../src/staged-volume.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readerOf, readSnapshot } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { committedValues, TestProducer } from './transactional.ts';

/** Writes no byte more to the files of one volume once it is armed. */
function diskFailingIn(volume: string): Disk & { isArmed: boolean } {
  const wrap = (path: string, file: DiskFile): DiskFile => ({
    ...file,
    async write(buffers, position) {
      const isAffected = disk.isArmed && path.includes(`/${volume}/`) && buffers.some(({ length }) => length > 0);
      if (isAffected) throw Object.assign(new Error(`EIO: write ${path}`), { code: 'EIO', syscall: 'write' });
      return file.write(buffers, position);
    },
  });
  const disk = {
    ...nodeDisk,
    isArmed: false,
    create: async (path: string) => wrap(path, await nodeDisk.create(path)),
    openForWriting: async (path: string) => wrap(path, await nodeDisk.openForWriting(path)),
  };
  return disk;
}

/** Topics `a.t` and `b.t`, and a transaction of `a.tx` open in both, with offsets for groups in both. */
async function begunInTwo(engine: LogEngine, timeoutMs?: number): Promise<TestProducer> {
  for (const topic of ['a.t', 'b.t']) {
    if (engine.topic(topic) === undefined) await engine.createTopic(topic, { partitionCount: 1 });
  }
  const producer = await TestProducer.open(engine, 'a.tx', timeoutMs);
  await producer.send('a.t', 'one');
  await producer.send('b.t', 'two');
  await producer.commitOffset('a.g', 'b.t', 5n);
  await producer.commitOffset('b.g', 'a.t', 7n);
  return producer;
}

async function committedIn(engine: LogEngine): Promise<unknown[]> {
  return [
    await committedValues(logOf(engine, 'a.t')),
    await committedValues(logOf(engine, 'b.t')),
    engine.committedOffsets('a.g').map(({ offset }) => offset),
    engine.committedOffsets('b.g').map(({ offset }) => offset),
  ];
}

const EVERYTHING = [['one-0'], ['two-0'], [5n], [7n]];
const NOTHING = [[], [], [], []];

test.each(['commit', 'abort'] as const)('a transaction over two volumes ends in both by %s', async (outcome) => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  const producer = await begunInTwo(engine);
  expect(await committedIn(engine)).toEqual(NOTHING);
  await producer.end(outcome);
  expect(await committedIn(engine)).toEqual(outcome === 'commit' ? EVERYTHING : NOTHING);
  for (const topic of ['a.t', 'b.t']) {
    const log = logOf(engine, topic);
    expect(log.lastStableOffset).toBe(log.highWatermark);
  }
});

test.each(['commit', 'abort'] as const)(
  'what was decided to %s before a crash is made up for where it is missing, and the next transaction is not touched',
  async (outcome) => {
    const dataDir = temporaryFolder();
    const disk = diskFailingIn('b');
    const first = await openEngine({ dataDir, disk });
    const producer = await begunInTwo(first);
    disk.isArmed = true;
    await expect(producer.end(outcome)).rejects.toMatchObject({ code: 'volume-stopped' });
    expect(first.transactions()).toMatchObject([{ state: outcome === 'commit' ? 'committing' : 'aborting' }]);
    const other = outcome === 'commit' ? 'abort' : 'commit';
    await expect(producer.end(other)).rejects.toMatchObject({ code: 'invalid-transaction-state' });
    await expect(first.beginTransaction(producer.identity)).rejects.toMatchObject({ code: 'concurrent-transactions' });
    await first.close();

    const second = await openEngine({ dataDir });
    expect(second.transactions()).toMatchObject([{ state: 'empty' }]);
    expect(await committedIn(second)).toEqual(outcome === 'commit' ? EVERYTHING : NOTHING);
    // The answer was lost, so the producer asks again.
    await second.endTransaction(producer.identity, outcome);
    const next = await TestProducer.open(second, 'a.tx');
    await next.send('b.t', 'open');
    await second.close();

    const third = await openEngine({ dataDir });
    expect(third.transactions()).toMatchObject([{ state: 'ongoing', partitions: [{ topic: 'b.t', partition: 0 }] }]);
    expect(await committedIn(third)).toEqual(outcome === 'commit' ? EVERYTHING : NOTHING);
  },
);

test('where the records of a transaction cannot be made durable in another volume, it is not committed', async () => {
  const dataDir = temporaryFolder();
  const disk = diskFailingIn('b');
  const first = await openEngine({ dataDir, disk });
  const producer = await begunInTwo(first);
  disk.isArmed = true;
  const lost = logOf(first, 'b.t').append(numberedBatch('x'), 'synced');
  await expect(lost).rejects.toMatchObject({ code: 'volume-stopped' });
  await expect(producer.end('commit')).rejects.toMatchObject({ code: 'volume-stopped' });
  expect(first.transactions()).toMatchObject([{ state: 'ongoing' }]);
  await first.close();
  const second = await openEngine({ dataDir });
  expect(await committedIn(second)).toEqual(NOTHING);
  await second.endTransaction(producer.identity, 'abort');
  expect(await committedIn(second)).toEqual(NOTHING);
});

test('a transaction whose coordinator was deleted is aborted, at once and after a restart', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir });
  await begunInTwo(first);
  await first.deleteVolume('a');
  const log = logOf(first, 'b.t');
  expect(log.lastStableOffset).toBe(log.highWatermark);
  expect(first.transactions()).toEqual([]);
  await begunInTwo(first);
  await first.close();
  rmSync(join(dataDir, 'a'), { recursive: true });

  const second = await openEngine({ dataDir });
  expect(second.events.map(({ kind }) => kind)).toContain('transaction-aborted');
  expect(await committedValues(logOf(second, 'b.t'))).toEqual([]);
  expect(logOf(second, 'b.t').lastStableOffset).toBe(logOf(second, 'b.t').highWatermark);
  await second.close();
  const third = await openEngine({ dataDir });
  expect(third.events.map(({ kind }) => kind)).not.toContain('transaction-aborted');
});

test('while a volume cannot be opened, transactions that it may coordinate stay open, and end as it had decided', async () => {
  const dataDir = temporaryFolder();
  const disk = diskFailingIn('b');
  const first = await openEngine({ dataDir, disk });
  const producer = await begunInTwo(first);
  disk.isArmed = true;
  await expect(producer.end('commit')).rejects.toMatchObject({ code: 'volume-stopped' });
  await first.close();
  const [segment, aside] = [join(dataDir, 'a', 'journal', '0000000001.segment'), join(dataDir, 'aside')];
  cpSync(segment, aside);
  writeFileSync(segment, 'damaged');

  const refusing = await openEngine({ dataDir });
  expect(logOf(refusing, 'b.t').lastStableOffset).toBe(0n);
  await expect(refusing.endTransaction(producer.identity, 'commit')).rejects.toMatchObject({ code: 'volume-stopped' });
  await refusing.close();
  cpSync(aside, segment);
  const second = await openEngine({ dataDir });
  expect(await committedIn(second)).toEqual(EVERYTHING);
});

test('a deleted volume does not keep its transactions from ending in the others', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  const producer = await begunInTwo(engine);
  await engine.deleteVolume('b');
  await producer.end('commit');
  expect(await committedValues(logOf(engine, 'a.t'))).toEqual(['one-0']);
  expect(engine.transactions()).toMatchObject([{ state: 'empty' }]);
});

test('a volume that is adopted brings its transactional ids along, and open transactions go on', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const staged = await stageVolume(dataDir, 'b');
  try {
    await staged.engine.createTopic('b.t', { partitionCount: 2 });
    const own = await TestProducer.open(staged.engine, 'b.tx');
    await own.send('b.t', 'own');
    await staged.finish();
    await engine.adoptVolume(staged.id);
    expect(engine.transactions()).toMatchObject([{ transactionalId: 'b.tx', state: 'ongoing' }]);
    await engine.endTransaction(own.identity, 'commit');
    expect(await committedValues(logOf(engine, 'b.t'))).toEqual(['own-0']);
  } finally {
    await staged.discard();
  }
});

test('a volume that is made of a snapshot gets an end to transactions whose coordinator is not there', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await begunInTwo(engine);
  await engine.createSnapshot('b@open', {});
  await engine.deleteVolume('a');
  await engine.deleteVolume('b');
  await engine.restoreVolume('b@open');
  const log = logOf(engine, 'b.t');
  expect(log.lastStableOffset).toBe(2n);
  expect(await committedValues(log)).toEqual([]);
});

test('a snapshot of several volumes has a transaction ended in all of them or in none', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  for (const topic of ['a.t', 'b.t', 'c.t']) await engine.createTopic(topic, { partitionCount: 1 });
  const producer = await TestProducer.open(engine, 'b.tx');
  let isEnough = false;
  const writing = (async () => {
    for (let i = 0; !isEnough; i++) {
      for (const volume of ['b', 'c']) {
        await producer.send(`${volume}.t`, String(i));
        await producer.commitOffset(`${volume}.g`, 'a.t', BigInt(i + 1));
      }
      await producer.end('commit');
    }
  })();
  for (let i = 0; i < 25; i++) {
    await engine.createSnapshot(`b@${i}`, {}, { volumes: ['c'] });
    const snapshot = await readSnapshot(dataDir, `b@${i}`);
    const [inB, inC] = await Promise.all(['b.t', 'c.t'].map((topic) => committedValues(readerOf(snapshot, topic))));
    expect(inC, `snapshot ${i}`).toEqual(inB);
    const offsets = ['b.g', 'c.g'].flatMap((group) => snapshot.committedOffsets(group)).map(({ offset }) => offset);
    expect(offsets).toEqual(inB!.length === 0 ? [] : [BigInt(inB!.length), BigInt(inB!.length)]);
  }
  isEnough = true;
  await writing;
});

test.each<[string, (engine: LogEngine, producer: TestProducer) => Promise<unknown>]>([
  ['comes back', (engine) => engine.openProducer({ transactionalId: 'a.tx' })],
  ['commits', (_, producer) => producer.end('commit')],
])('a producer that %s while its volume is deleted learns to try again, and the deletion goes on', async (_, call) => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  const producer = await begunInTwo(engine);
  const deleted = engine.deleteVolume('a');
  await expect(call(engine, producer)).rejects.toMatchObject({ code: 'concurrent-transactions' });
  await deleted;
  expect(await engine.openProducer({ transactionalId: 'a.tx' })).toMatchObject({ epoch: 0 });
  expect(await committedValues(logOf(engine, 'b.t'))).toEqual([]);
});
