import { iterateBatches } from '@tickfold/kafka-protocol';
import { expect, test } from 'vitest';
import type { LogEngine } from '../src/api.ts';
import { numberedBatch, producedBatch } from './batches.ts';
import { logOf, openEngine, readSnapshot, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { committedValues, TestProducer } from './transactional.ts';

async function engineWith(topics: string[], dataDir = temporaryFolder()): Promise<LogEngine> {
  const engine = await openEngine({ dataDir });
  for (const topic of topics) await engine.createTopic(topic, { partitionCount: 1 });
  return engine;
}

test('records of a transaction show to readers of committed records when it is committed, and never when it is aborted', async () => {
  const engine = await engineWith(['v.t']);
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  await log.append(numberedBatch('plain'), 'synced');
  await producer.send('v.t', 'a');
  await log.append(numberedBatch('behind'), 'synced');
  expect([log.lastStableOffset, log.highWatermark]).toEqual([1n, 3n]);
  expect(await committedValues(log)).toEqual(['plain-0']);
  await producer.end('commit');
  expect([log.lastStableOffset, log.highWatermark]).toEqual([4n, 4n]);
  expect(await committedValues(log)).toEqual(['plain-0', 'a-0', 'behind-0']);

  await producer.send('v.t', 'b');
  await log.append(numberedBatch('last'), 'synced');
  await producer.send('v.t', 'c');
  await producer.end('abort');
  expect(await committedValues(log)).toEqual(['plain-0', 'a-0', 'behind-0', 'last-0']);
  expect(await log.read(0n, 10_000, 'committed')).toMatchObject({
    lastStableOffset: 8n,
    abortedTransactions: [{ producerId: producer.identity.producerId, firstOffset: 4n }],
  });
  expect((await log.read(0n, 10_000)).abortedTransactions).toEqual([]);
});

test('aborted transactions are told with whatever part of them is read, and not behind it', async () => {
  const engine = await engineWith(['v.t']);
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  for (const label of ['a', 'b', 'c']) await producer.send('v.t', label);
  await producer.end('abort');
  await log.append(numberedBatch('x'), 'synced');
  for (const [offset, count] of [
    [0n, 1],
    [1n, 1],
    [3n, 1],
    [4n, 0],
  ] as const) {
    expect((await log.read(offset, 1, 'committed')).abortedTransactions, String(offset)).toHaveLength(count);
  }
});

test('a marker is a control batch as Kafka writes it, and no producer may send one', async () => {
  const engine = await engineWith(['v.t']);
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  await producer.send('v.t', 'a');
  await producer.end('commit');
  const { batches } = await log.read(1n, 1000);
  const [marker] = [...iterateBatches(batches[0]!)];
  expect(marker!.header).toMatchObject({
    isControl: true,
    isTransactional: true,
    producerId: producer.identity.producerId,
    producerEpoch: producer.identity.epoch,
    baseSequence: -1,
    recordCount: 1,
  });
  const [record] = [...marker!.records()];
  expect(record!.key!.toString('hex')).toBe('00000001');
  expect(record!.value!.toString('hex')).toBe('000000000000');
  await expect(log.append(batches[0]!, 'synced')).rejects.toMatchObject({ code: 'batch-corrupt' });
});

test('a search by time passes over markers, and for committed records ends at the last stable offset', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), clock: () => 5000 });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  await producer.send('v.t', 'a');
  expect(await log.offsetForTimestamp(1000n, 'committed')).toBeUndefined();
  expect(await log.offsetForTimestamp(1000n)).toMatchObject({ offset: 0n });
  expect(await log.offsetOfLatest('committed')).toBeUndefined();
  expect(await log.offsetOfLatest()).toMatchObject({ offset: 0n });
  await producer.end('commit');
  expect(await log.offsetForTimestamp(1000n, 'committed')).toMatchObject({ offset: 0n });
  expect(await log.offsetForTimestamp(1001n)).toBeUndefined();
});

test('offsets of a transaction become those of the group when it is committed, and are forgotten when it is aborted', async () => {
  const engine = await engineWith(['v.t']);
  const producer = await TestProducer.open(engine, 'v.tx');
  await producer.commitOffset('v.g', 'v.t', 3n);
  await producer.commitOffset('v.g', 'v.t', 5n);
  expect(engine.committedOffsets('v.g')).toEqual([]);
  await producer.end('abort');
  expect(engine.committedOffsets('v.g')).toEqual([]);
  await producer.commitOffset('v.g', 'v.t', 7n);
  await producer.end('commit');
  expect(engine.committedOffsets('v.g')).toMatchObject([{ topic: 'v.t', offset: 7n }]);
});

test('to ask for the same outcome again does nothing; another outcome, or one without a transaction, is refused', async () => {
  const engine = await engineWith(['v.t']);
  const producer = await TestProducer.open(engine, 'v.tx');
  await expect(engine.endTransaction(producer.identity, 'commit')).rejects.toMatchObject({
    code: 'invalid-transaction-state',
  });
  await producer.send('v.t', 'a');
  await producer.end('commit');
  const { logEndOffset } = logOf(engine, 'v.t');
  await producer.end('commit');
  expect(logOf(engine, 'v.t').logEndOffset).toBe(logEndOffset);
  await expect(engine.endTransaction(producer.identity, 'abort')).rejects.toMatchObject({
    code: 'invalid-transaction-state',
  });
});

test('an end that raises the epoch answers its repetition alike, and nothing of the old epoch is taken after it', async () => {
  const engine = await engineWith(['v.t', 'v.other']);
  const producer = await TestProducer.open(engine, 'v.tx');
  const before = producer.identity;
  await producer.send('v.t', 'a');
  await producer.end('commit', { bumpEpoch: true });
  expect(producer.identity).toMatchObject({ producerId: before.producerId, epoch: before.epoch + 1 });
  expect(await engine.endTransaction(before, 'commit')).toEqual(
    await engine.endTransaction(producer.identity, 'commit'),
  );
  for (const topic of ['v.t', 'v.other']) {
    const late = producedBatch('late', before, topic === 'v.t' ? 1 : 0, { isTransactional: true });
    await expect(logOf(engine, topic).append(late, 'synced')).rejects.toMatchObject({ code: 'producer-fenced' });
  }
  await producer.send('v.t', 'b');
  await producer.end('commit');
  expect(await committedValues(logOf(engine, 'v.t'))).toEqual(['a-0', 'b-0']);
});

test('a new incarnation aborts what the one before left open, and fences it everywhere', async () => {
  const engine = await engineWith(['v.t', 'v.unseen']);
  const zombie = await TestProducer.open(engine, 'v.tx');
  await zombie.send('v.t', 'a');
  const producer = await TestProducer.open(engine, 'v.tx');
  expect(logOf(engine, 'v.t').lastStableOffset).toBe(2n);
  for (const topic of ['v.t', 'v.unseen']) {
    await expect(zombie.send(topic, 'late')).rejects.toMatchObject({ code: 'producer-fenced' });
    const late = producedBatch('late', zombie.identity, topic === 'v.t' ? 1 : 0, { isTransactional: true });
    await expect(logOf(engine, topic).append(late, 'synced')).rejects.toMatchObject({ code: 'producer-fenced' });
  }
  await expect(zombie.end('commit')).rejects.toMatchObject({ code: 'producer-fenced' });
  await expect(zombie.commitOffset('v.g', 'v.t', 1n)).rejects.toMatchObject({ code: 'producer-fenced' });
  await producer.send('v.t', 'b');
  await producer.end('commit');
  expect(await committedValues(logOf(engine, 'v.t'))).toEqual(['b-0']);
});

test('transactional records need a transaction under way, and within one there are no others', async () => {
  const engine = await engineWith(['v.t']);
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  const unbegun = producedBatch('a', producer.identity, 0, { isTransactional: true });
  await expect(log.append(unbegun, 'synced')).rejects.toMatchObject({ code: 'invalid-transaction-state' });
  await producer.send('v.t', 'a');
  const outside = producedBatch('b', producer.identity, 1);
  await expect(log.append(outside, 'synced')).rejects.toMatchObject({ code: 'invalid-transaction-state' });
  const foreign = producedBatch('b', { producerId: 12n, epoch: 0 }, 0, { isTransactional: true });
  await expect(log.append(foreign, 'synced')).rejects.toMatchObject({ code: 'producer-fenced' });
  const unknown = { ...producer.identity, transactionalId: 'v.unknown' };
  await expect(engine.beginTransaction(unknown)).rejects.toMatchObject({ code: 'unknown-producer' });
});

test('a producer that goes on from an incarnation it names is refused when another one took over', async () => {
  const engine = await engineWith([]);
  const transactionalId = 'v.tx';
  await expect(engine.openProducer({ transactionalId, expected: { producerId: 1n, epoch: 0 } })).rejects.toMatchObject({
    code: 'unknown-producer',
  });
  const first = await engine.openProducer({ transactionalId });
  const second = await engine.openProducer({ transactionalId, expected: first });
  expect(second).toEqual({ producerId: first.producerId, epoch: first.epoch + 1 });
  // The answer was lost, so it is asked for again.
  expect(await engine.openProducer({ transactionalId, expected: first })).toEqual(second);
  const third = await engine.openProducer({ transactionalId });
  await expect(engine.openProducer({ transactionalId, expected: second })).rejects.toMatchObject({
    code: 'producer-fenced',
  });
  expect(third.epoch).toBe(second.epoch + 1);
});

test('each idempotent producer gets an id of its own, and one with a transactional id keeps it from epoch to epoch', async () => {
  const engine = await engineWith(['v.t']);
  const first = await engine.openProducer();
  expect(await engine.openProducer()).not.toEqual(first);
  const producer = await TestProducer.open(engine, 'v.tx');
  const { producerId } = producer.identity;
  for (let epoch = 1; epoch <= 3; epoch++) {
    await producer.send('v.t', `e${epoch}`);
    await producer.end('commit', { bumpEpoch: true });
    expect(producer.identity).toMatchObject({ producerId, epoch });
  }
});

test.each([0, -1, 1.5, 900_001])('a time-out of %s ms is refused', async (timeoutMs) => {
  const engine = await engineWith([]);
  await expect(engine.openProducer({ transactionalId: 'v.tx', timeoutMs })).rejects.toMatchObject({
    code: 'illegal-transaction-timeout',
  });
});

test('an open transaction is described, survives a reopen and can be committed after it', async () => {
  const dataDir = temporaryFolder();
  const first = await engineWith(['v.t'], dataDir);
  const producer = await TestProducer.open(first, 'v.tx');
  await producer.send('v.t', 'a');
  await producer.commitOffset('v.g', 'v.t', 3n);
  await first.close();

  const second = await openEngine({ dataDir, clock: () => 99 });
  expect(second.transactions()).toEqual([
    {
      transactionalId: 'v.tx',
      producer: { producerId: producer.identity.producerId, epoch: producer.identity.epoch },
      state: 'ongoing',
      startedAtMs: 99,
      timeoutMs: 60_000,
      partitions: [{ topic: 'v.t', partition: 0 }],
    },
  ]);
  const log = logOf(second, 'v.t');
  const { producerId, epoch } = producer.identity;
  expect(log.describeProducers()).toMatchObject([{ producerId, epoch, lastSequence: 0, openFrom: 0n }]);
  expect(second.unstableOffsets('v.g')).toEqual([{ topic: 'v.t', partition: 0 }]);
  expect(await committedValues(log)).toEqual([]);
  await second.endTransaction(producer.identity, 'commit');
  expect(await committedValues(log)).toEqual(['a-0']);
  expect(second.committedOffsets('v.g')).toMatchObject([{ offset: 3n }]);
  expect(second.unstableOffsets('v.g')).toEqual([]);
  expect(second.transactions()).toMatchObject([{ state: 'empty', outcome: 'commit', partitions: [] }]);
  expect(log.describeProducers()).toMatchObject([{ producerId, epoch, openFrom: undefined }]);
});

test('aborted transactions are known after a reopen over many segments, and in a snapshot', async () => {
  const dataDir = temporaryFolder();
  const options = { dataDir, segmentBytes: 400 };
  const first = await openEngine(options);
  await first.createTopic('v.t', { partitionCount: 1 });
  const producer = await TestProducer.open(first, 'v.tx');
  const expected: string[] = [];
  for (let i = 0; i < 12; i++) {
    await producer.send('v.t', `r${i}`);
    await producer.end(i % 3 === 0 ? 'abort' : 'commit');
    if (i % 3 > 0) expected.push(`r${i}-0`);
  }
  await producer.send('v.t', 'open');
  await first.createSnapshot('v@one', {});
  await first.close();

  const second = await openEngine(options);
  expect(await committedValues(logOf(second, 'v.t'))).toEqual(expected);
  const snapshot = (await readSnapshot(dataDir, 'v@one')).partition('v.t', 0)!;
  expect(await committedValues(snapshot)).toEqual(expected);
  expect(await valuesOf(snapshot)).toContain('open-0');
  expect(snapshot.lastStableOffset).toBeLessThan(snapshot.highWatermark);
});

test('a deleted topic does not keep its transaction from ending', async () => {
  const engine = await engineWith(['v.t', 'v.gone']);
  const producer = await TestProducer.open(engine, 'v.tx');
  await producer.send('v.gone', 'a');
  await producer.send('v.t', 'b');
  await producer.commitOffset('v.g', 'v.gone', 1n);
  await engine.deleteTopic('v.gone');
  expect(engine.transactions()[0]!.partitions).toEqual([{ topic: 'v.t', partition: 0 }]);
  await producer.end('commit');
  expect(await committedValues(logOf(engine, 'v.t'))).toEqual(['b-0']);
  expect(engine.committedOffsets('v.g')).toEqual([]);
});

test('where readers see what is written, committed records show only when their marker is synced', async () => {
  const disk = new FailingDisk();
  const engine = await openEngine({ dataDir: temporaryFolder(), visibility: 'written', disk });
  await engine.createTopic('v.t', { partitionCount: 1 });
  const log = logOf(engine, 'v.t');
  const producer = await TestProducer.open(engine, 'v.tx');
  await producer.send('v.t', 'a');
  let release = (): void => undefined;
  disk.released = new Promise((resolve) => {
    release = resolve;
  });
  const shown = new Promise<void>((resolve) => {
    log.onVisible(resolve);
  });
  disk.failing = 'sync';
  const ending = producer.end('commit');
  await shown;
  expect([log.highWatermark, log.lastStableOffset]).toEqual([2n, 0n]);
  expect(await committedValues(log)).toEqual([]);
  release();
  await expect(ending).rejects.toMatchObject({ code: 'volume-stopped' });
  expect(log.lastStableOffset).toBe(0n);
});
