import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readAll, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('records come back in order, with the offsets that their appends were told', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), clock: () => 77 });
  await engine.createTopic('market.ticks', { partitionCount: 2 });
  const log = logOf(engine, 'market.ticks', 1);
  const results = await Promise.all([
    log.append(numberedBatch('a', 2), 'synced'),
    log.append(numberedBatch('b', 1), 'written'),
    log.append(Buffer.concat([numberedBatch('c', 1), numberedBatch('d', 2)]), 'synced'),
  ]);
  expect(results.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
    [0n, 1n],
    [2n, 2n],
    [3n, 5n],
  ]);
  expect(results[0]!.appendTimeMs).toBe(77);
  expect(await valuesOf(log)).toEqual(['a-0', 'a-1', 'b-0', 'c-0', 'd-0', 'd-1']);
  expect((await readAll(log)).map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
  expect([log.logStartOffset, log.highWatermark, log.logEndOffset]).toEqual([0n, 6n, 6n]);
  expect(logOf(engine, 'market.ticks', 0).logEndOffset).toBe(0n);
});

test('everything is there again after a reopen: topics, settings, records, offsets of groups', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir });
  const settings = { 'max.message.bytes': '1000' };
  const created = await first.createTopic('market.ticks', { partitionCount: 1, settings });
  await logOf(first, 'market.ticks').append(numberedBatch('a', 3), 'synced');
  const committed = { topic: 'market.ticks', partition: 0, offset: 2n ** 62n, leaderEpoch: -1, metadata: 'µ' };
  await first.commitOffsets('market.reader', [committed]);
  await first.close();

  const second = await openEngine({ dataDir });
  expect(second.topics()).toEqual([created]);
  expect(created).toMatchObject({ volume: 'market', partitionCount: 1, settings });
  expect(created.id).toHaveLength(16);
  expect(await valuesOf(logOf(second, 'market.ticks'))).toEqual(['a-0', 'a-1', 'a-2']);
  expect(second.committedOffsets('market.reader')).toEqual([committed]);
  expect(second.groupsWithOffsets()).toEqual(['market.reader']);
  expect(await logOf(second, 'market.ticks').append(numberedBatch('b'), 'synced')).toMatchObject({ baseOffset: 3n });
});

test('topics of one volume share a journal, and other folders are left alone', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'market', 'tables'), { recursive: true });
  mkdirSync(join(dataDir, '.snapshots', 'journal'), { recursive: true });
  mkdirSync(join(dataDir, 'empty', 'journal'), { recursive: true });
  const engine = await openEngine({ dataDir });
  expect(engine.volumes()).toEqual([]);
  await engine.createTopic('market.ticks', { partitionCount: 1 });
  await engine.createTopic('market.enriched', { partitionCount: 1 });
  await engine.createTopic('plain', { partitionCount: 1 });
  expect(engine.volumes().map(({ name }) => name)).toEqual(['market', 'default']);
  expect(readdirSync(join(dataDir, 'market')).sort()).toEqual(['journal', 'tables']);
});

test('a topic whose first part is no volume name is found where it was made', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  const name = 'My_Topic.10.1_none';
  const created = await engine.createTopic(name, { partitionCount: 1 });
  expect(created.volume).toBe('default');
  expect(engine.topic(name)).toEqual(created);
  await logOf(engine, name).append(numberedBatch('a', 1), 'synced');
  expect(await valuesOf(logOf(engine, name))).toEqual(['a-0']);
  await engine.deleteTopic(name);
  expect(engine.topic(name)).toBeUndefined();
});

test('a read begins with the batch that holds the offset and keeps to its limit, but gives at least one batch', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  const batch = numberedBatch('a', 3);
  for (let i = 0; i < 4; i++) await log.append(batch, 'synced');
  expect((await log.read(4n, batch.length * 2)).batches).toHaveLength(2);
  expect((await log.read(4n, 1)).batches).toHaveLength(1);
  expect(Buffer.from((await log.read(4n, 1)).batches[0]!).readBigInt64BE(0)).toBe(3n);
  expect((await log.read(12n, 1000)).batches).toEqual([]);
});

test('an offset before the start or behind the end of a log is out of range', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await log.append(numberedBatch('a'), 'synced');
  await expect(log.read(2n, 100)).rejects.toMatchObject({ code: 'offset-out-of-range' });
  await expect(log.read(-1n, 100)).rejects.toMatchObject({ code: 'offset-out-of-range' });
});

test('views that a read gave out keep their bytes while appends go on', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder(), segmentBytes: 4096 });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  await log.append(numberedBatch('kept'), 'synced');
  const [view] = (await log.read(0n, 1000)).batches;
  const copy = Buffer.from(view!);
  for (let i = 0; i < 200; i++) await log.append(numberedBatch(`later-${i}`, 20), 'written');
  expect(copy.equals(view!)).toBe(true);
});

test('what the caller handed in may be overwritten once the append is acknowledged', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const batch = numberedBatch('mine');
  await logOf(engine, 't').append(batch, 'none');
  batch.fill(0xee);
  await logOf(engine, 't').append(numberedBatch('next'), 'synced');
  expect(await valuesOf(logOf(engine, 't'))).toEqual(['mine-0', 'next-0']);
});

test('listeners hear of visible records until they are taken off', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  const seen: bigint[] = [];
  const stop = log.onVisible(() => seen.push(log.highWatermark));
  await log.append(numberedBatch('a', 2), 'synced');
  stop();
  await log.append(numberedBatch('b', 2), 'synced');
  expect(seen).toEqual([2n]);
});

test('a time finds the first record at or after it, also inside a batch and in sealed segments', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 1024 });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  for (let i = 0; i < 40; i++) await log.append(numberedBatch(`b${i}`, 10, 1000 + i * 100), 'synced');
  expect(await log.offsetForTimestamp(0n)).toEqual({ offset: 0n, timestampMs: 1000n });
  expect(await log.offsetForTimestamp(1505n)).toEqual({ offset: 55n, timestampMs: 1505n });
  expect(await log.offsetForTimestamp(1510n)).toEqual({ offset: 60n, timestampMs: 1600n });
  expect(await log.offsetForTimestamp(4909n)).toEqual({ offset: 399n, timestampMs: 4909n });
  expect(await log.offsetForTimestamp(4910n)).toBeUndefined();
});

test('a deleted topic is gone, its name is free, and its offsets are forgotten in every volume', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  const before = await engine.createTopic('a.t', { partitionCount: 1 });
  const old = logOf(engine, 'a.t');
  await old.append(numberedBatch('old'), 'synced');
  const offset = { topic: 'a.t', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' };
  await engine.commitOffsets('other.group', [offset]);
  await engine.commitOffsets('a.group', [offset]);
  await engine.deleteTopic('a.t');
  expect(engine.topic('a.t')).toBeUndefined();
  expect(engine.groupsWithOffsets()).toEqual([]);
  await expect(old.append(numberedBatch('late'), 'synced')).rejects.toMatchObject({ code: 'unknown-topic' });
  await expect(engine.deleteTopic('a.t')).rejects.toMatchObject({ code: 'unknown-topic' });
  const after = await engine.createTopic('a.t', { partitionCount: 1 });
  expect(after.id).not.toEqual(before.id);
  await logOf(engine, 'a.t').append(numberedBatch('new'), 'synced');
  await engine.close();
  const reopened = await openEngine({ dataDir });
  expect(await valuesOf(logOf(reopened, 'a.t'))).toEqual(['new-0']);
  expect(reopened.groupsWithOffsets()).toEqual([]);
});

test('a group whose offsets were deleted has none', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.commitOffsets('g', [{ topic: 't', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }]);
  await engine.deleteGroupOffsets('g');
  expect(engine.committedOffsets('g')).toEqual([]);
});

test('of two creations of one topic at the same time one fails', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  const results = await Promise.allSettled([1, 2].map((n) => engine.createTopic('v.t', { partitionCount: n })));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(engine.topics()).toHaveLength(1);
});

test.each([
  ['illegal-name', 'bad name', {}, 1, /"bad name"/],
  ['illegal-setting', 't', { 'no.such': '1' }, 1, /"no.such"/],
  ['illegal-setting', 't', { constructor: '1' }, 1, /"constructor"/],
  ['illegal-setting', 't', { 'retention.ms': 'soon' }, 1, /retention.ms is "soon" but must be a whole number from -1/],
  ['illegal-setting', 't', {}, 0, /the number of partitions is 0/],
])(
  'creating a topic fails with %s for name %j, settings %j, %d partitions',
  async (code, name, settings, count, text) => {
    const engine = await openEngine({ dataDir: temporaryFolder() });
    const creating = engine.createTopic(name, { partitionCount: count, settings });
    await expect(creating).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
  },
);

test('damaged, cut, foreign and empty batches are refused and leave the log as it was', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  const whole = numberedBatch('a', 5);
  const flipped = Buffer.from(whole);
  flipped[70]! ^= 1;
  const oldMagic = Buffer.from(whole);
  oldMagic[16] = 1;
  const negative = Buffer.from(whole);
  negative.writeInt32BE(-5, 8);
  for (const bad of [
    flipped,
    whole.subarray(0, -1),
    oldMagic,
    negative,
    Buffer.alloc(0),
    Buffer.concat([whole, flipped]),
  ]) {
    await expect(log.append(bad, 'synced')).rejects.toMatchObject({ code: 'batch-corrupt' });
  }
  expect(log.logEndOffset).toBe(0n);
});

test('a batch larger than max.message.bytes is refused with both sizes', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1, settings: { 'max.message.bytes': '100' } });
  const batch = numberedBatch('a', 50);
  await expect(logOf(engine, 't').append(batch, 'synced')).rejects.toMatchObject({
    code: 'batch-too-large',
    message: `a batch of ${batch.length} bytes is larger than max.message.bytes, 100`,
  });
});

test('more appends at once than may wait unwritten all arrive, in the order of the calls', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  const large = 'x'.repeat(450_000);
  const appends = Array.from({ length: 30 }, (_, i) => log.append(numberedBatch(`${i}-${large}`), 'written'));
  const offsets = (await Promise.all(appends)).map(({ baseOffset }) => baseOffset);
  expect(offsets).toEqual(Array.from({ length: 30 }, (_, i) => BigInt(i)));
  await log.append(numberedBatch('end'), 'synced');
  expect((await valuesOf(log)).map((value) => Number.parseInt(value, 10)).slice(0, 30)).toEqual(offsets.map(Number));
});

test('closing makes what was appended before durable and refuses everything after', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  const pending = log.append(numberedBatch('a'), 'synced');
  await engine.close();
  await expect(pending).resolves.toMatchObject({ baseOffset: 0n });
  await expect(log.append(numberedBatch('b'), 'synced')).rejects.toMatchObject({ code: 'volume-stopped' });
  await expect(log.read(0n, 100)).rejects.toMatchObject({ code: 'volume-stopped' });
  await expect(engine.createTopic('u', { partitionCount: 1 })).rejects.toMatchObject({ code: 'volume-stopped' });
  expect(await valuesOf(logOf(await openEngine({ dataDir }), 't'))).toEqual(['a-0']);
});

test('writers that never pause do not hold up closing', async () => {
  const engine = await openEngine({ dataDir: temporaryFolder() });
  await engine.createTopic('t', { partitionCount: 1 });
  const large = numberedBatch('x'.repeat(450_000));
  const writeUntilRefused = async (): Promise<unknown> => {
    for (;;) await logOf(engine, 't').append(large, 'written');
  };
  const refusals = Array.from({ length: 30 }, () => writeUntilRefused().catch((error) => error.code));
  await engine.close();
  expect(new Set(await Promise.all(refusals))).toEqual(new Set(['volume-stopped']));
});

test('of two commits of one group the later call counts, at whatever step of making their volume it comes', async () => {
  // So making a volume takes steps within one turn of the event loop, which can be counted.
  const disk: Disk = {
    ...nodeDisk,
    list: async (folder) => (existsSync(folder) ? readdirSync(folder) : undefined),
    makeFolder: async (folder) => void mkdirSync(folder, { recursive: true }),
    syncFolder: async () => undefined,
  };
  const engine = await openEngine({ dataDir: temporaryFolder() }, disk);
  const commit = (group: string, offset: bigint): Promise<void> =>
    engine.commitOffsets(group, [{ topic: 'v.t', partition: 0, offset, leaderEpoch: 0, metadata: '' }]);
  for (let steps = 0; steps < 60; steps++) {
    const earlier = commit(`v${steps}.g`, 1n);
    for (let i = 0; i < steps; i++) await Promise.resolve();
    await Promise.all([earlier, commit(`v${steps}.g`, 2n)]);
    expect(engine.committedOffsets(`v${steps}.g`), `${steps} steps`).toMatchObject([{ offset: 2n }]);
  }
});

test('what is read from files is put into the buffer that was lent for it, as far as it fits', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir });
  await first.createTopic('t', { partitionCount: 1 });
  await logOf(first, 't').append(numberedBatch('a', 3), 'synced');
  await first.close();
  const log = logOf(await openEngine({ dataDir }), 't');
  const roomy = Buffer.alloc(10_000);
  const read = async (into?: Buffer) => (await log.read(0n, 10_000, 'uncommitted', into)).batches[0]!;
  const expected = Uint8Array.from(await read());
  const lent = await read(roomy);
  expect(lent.buffer).toBe(roomy.buffer);
  expect(Uint8Array.from(lent)).toEqual(expected);
  const small = Buffer.alloc(10);
  const made = await read(small);
  expect(made.buffer).not.toBe(small.buffer);
  expect(Uint8Array.from(made)).toEqual(expected);
});

test('the latest record is the first with the highest timestamp, wherever it lies, as far as readers may see', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 1000 });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  expect(await log.offsetOfLatest()).toBeUndefined();
  for (let i = 0; i < 60; i++) {
    await log.append(numberedBatch('v', 3, i === 20 || i === 40 ? 9000 : 1000 + i), 'synced');
  }
  expect(await log.offsetOfLatest()).toEqual({ offset: 62n, timestampMs: 9002n });
  await log.deleteRecordsBefore(63n);
  expect(await log.offsetOfLatest()).toEqual({ offset: 122n, timestampMs: 9002n });
  await log.deleteRecordsBefore(123n);
  expect(await log.offsetOfLatest()).toEqual({ offset: 179n, timestampMs: 1061n });
});
