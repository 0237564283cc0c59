import { gzipSync } from 'node:zlib';
import { BATCH_HEADER_BYTES, iterateBatches, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { expect, test } from 'vitest';
import type { EngineOptions, LogEngine, PartitionReader } from '../src/api.ts';
import { finishBatch } from '../src/batch-header.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readSnapshot } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

interface KeyedRecord {
  key: string | null;
  value: string | null;
}

interface StoredRecord extends KeyedRecord {
  offset: bigint;
}

class TurnedClock {
  nowMs = 1_700_000_000_000;
  readonly read = (): number => this.nowMs;
}

const PACKERS = [
  { codec: 1, pack: gzipSync },
  { codec: 2, pack: (bytes: Buffer) => compressSync(bytes) },
  { codec: 3, pack: (bytes: Buffer) => compressFrameSync(bytes) },
];

/** @param packing number of a packer; undefined for none */
function batchOf(records: KeyedRecord[], packing?: number): Buffer {
  const builder = new RecordBatchBuilder();
  for (const { key, value } of records) builder.append(key, value, 1000, { h: 'header' });
  const plain = builder.finish();
  if (packing === undefined) return plain;
  const { codec, pack } = PACKERS[packing]!;
  const header = Buffer.from(plain.subarray(0, BATCH_HEADER_BYTES));
  header.writeInt16BE(codec, 21);
  return finishBatch(Buffer.concat([header, pack(plain.subarray(BATCH_HEADER_BYTES))]), records.length);
}

/** Reads on from one offset after the other, and must get to the end. */
async function recordsFrom(log: PartitionReader, offset: bigint): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  let next = offset;
  while (next < log.highWatermark) {
    const { batches } = await log.read(next, 300);
    if (batches.length === 0) throw new Error(`a reader at ${next} does not get to ${log.highWatermark}`);
    for (const bytes of batches) {
      for (const batch of iterateBatches(bytes)) {
        if (!batch.crcIsValid()) throw new Error(`the batch at ${batch.header.baseOffset} does not match its CRC`);
        for (const record of batch.records()) {
          expect(record.header('h') ?? 'header').toBe('header');
          const [key, value] = [record.key?.toString() ?? null, record.value?.toString() ?? null];
          if (record.offset >= next) records.push({ offset: record.offset, key, value });
        }
        next = batch.header.lastOffset + 1n;
      }
    }
  }
  return records;
}

const lastOfKeys = (records: StoredRecord[]): Map<string | null, string | null> =>
  new Map(records.map(({ key, value }) => [key, value]));

async function compactedEngine(options: Partial<EngineOptions>, settings = {}): Promise<LogEngine> {
  const engine = await openEngine({
    dataDir: temporaryFolder(),
    segmentBytes: 2000,
    maintenanceIntervalMs: 0,
    ...options,
  });
  await engine.createTopic('t', { partitionCount: 1, settings: { 'cleanup.policy': 'compact', ...settings } });
  return engine;
}

/** Ends the segment that is appended to, so that what it holds can be compacted. */
async function sealAll(engine: LogEngine, name: string): Promise<void> {
  await engine.createSnapshot(`default@${name}`, {});
}

const record = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', null),
  value: fc.option(fc.string({ maxLength: 60 }), { freq: 6 }),
});
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      records: fc.array(record, { minLength: 1, maxLength: 6 }),
      packing: fc.option(fc.nat(PACKERS.length - 1), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.constant('maintain' as const) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
);

test('compaction keeps the last value of each key, every offset of what it keeps, and the way to the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 120 }), async (steps) => {
      const options = { dataDir: temporaryFolder(), segmentBytes: 2000, maintenanceIntervalMs: 0 };
      let engine = await compactedEngine(options);
      const sent: StoredRecord[] = [];
      for (const what of steps) {
        if (what === 'maintain') await engine.maintain();
        else if (what === 'reopen') {
          await engine.close();
          engine = await openEngine(options);
        } else {
          const { baseOffset } = await logOf(engine, 't').append(batchOf(what.records, what.packing), 'written');
          sent.push(...what.records.map((each, i) => ({ ...each, offset: baseOffset + BigInt(i) })));
        }
      }
      await sealAll(engine, 'x');
      await engine.maintain();
      const log = logOf(engine, 't');
      expect(log.logStartOffset).toBe(0n);
      const kept = await recordsFrom(log, 0n);
      const sentBy = new Map(sent.map((each) => [each.offset, each]));
      for (const each of kept) expect(each).toEqual(sentBy.get(each.offset));
      expect(lastOfKeys(kept)).toEqual(lastOfKeys(sent));
      expect(kept.filter(({ key }) => key === null)).toEqual(sent.filter(({ key }) => key === null));
      for (const { offset } of sent) {
        expect(await recordsFrom(log, offset)).toEqual(kept.filter((each) => each.offset >= offset));
      }
      await engine.close();
      engine = await openEngine(options);
      expect(await recordsFrom(logOf(engine, 't'), 0n)).toEqual(kept);
      await engine.close();
    }),
    { numRuns: 8 },
  );
});

test('a key that is written again and again takes room once, and so does each of many keys', async () => {
  const engine = await compactedEngine({});
  const log = logOf(engine, 't');
  for (let i = 0; i < 400; i++) {
    await log.append(batchOf([{ key: `k${i % 7}`, value: `v${i}` }]), 'written');
    if (i % 50 === 0) await engine.maintain();
  }
  await sealAll(engine, 'x');
  await engine.maintain();
  // What was left empty goes with the next round.
  await engine.maintain();
  const kept = await recordsFrom(log, 0n);
  expect(kept.map(({ value }) => value)).toEqual(Array.from({ length: 7 }, (_, i) => `v${393 + i}`));
  expect(log.sizeBytes).toBeLessThan(1000);
  expect(engine.volumes()[0]!.segments).toBeLessThan(4);
});

test('what was compacted is not compacted again, also not after a restart', async () => {
  const dataDir = temporaryFolder();
  const engine = await compactedEngine({ dataDir });
  for (let i = 0; i < 100; i++) await logOf(engine, 't').append(batchOf([{ key: `k${i % 3}`, value: 'v' }]), 'written');
  await sealAll(engine, 'x');
  await engine.maintain();
  await sealAll(engine, 'y');
  const { sizeBytes } = engine.volumes()[0]!;
  await engine.maintain();
  await engine.close();
  const reopened = await openEngine({ dataDir, segmentBytes: 2000, maintenanceIntervalMs: 0 });
  await reopened.maintain();
  expect(reopened.events.filter(({ kind }) => kind === 'segment-removed')).toEqual([]);
  expect(reopened.volumes()[0]!.sizeBytes).toBeLessThanOrEqual(sizeBytes);
});

test('a deletion stays for delete.retention.ms, then goes with its key', async () => {
  const clock = new TurnedClock();
  const engine = await compactedEngine({ clock: clock.read });
  const log = logOf(engine, 't');
  const round = async (name: string): Promise<(string | null)[]> => {
    await log.append(batchOf([{ key: 'other', value: name.repeat(200) }]), 'written');
    await log.append(batchOf([{ key: 'other', value: name }]), 'written');
    await sealAll(engine, name);
    await engine.maintain();
    return (await recordsFrom(log, 0n)).map(({ key }) => key);
  };
  await log.append(batchOf([{ key: 'k', value: 'v' }]), 'written');
  await log.append(batchOf([{ key: 'k', value: null }]), 'written');
  await expect(round('a')).resolves.toEqual(['k', 'other']);
  clock.nowMs += DAY_MS - 1;
  await expect(round('b')).resolves.toEqual(['k', 'other']);
  clock.nowMs += 1;
  await expect(round('c')).resolves.toEqual(['other']);
});

test('records younger than min.compaction.lag.ms are left alone', async () => {
  const clock = new TurnedClock();
  const engine = await compactedEngine({ clock: clock.read }, { 'min.compaction.lag.ms': '1000' });
  const log = logOf(engine, 't');
  for (let i = 0; i < 10; i++) await log.append(batchOf([{ key: 'k', value: `${i}` }]), 'written');
  await sealAll(engine, 'x');
  clock.nowMs += 999;
  await engine.maintain();
  expect(await recordsFrom(log, 0n)).toHaveLength(10);
  clock.nowMs += 1;
  await engine.maintain();
  expect(await recordsFrom(log, 0n)).toHaveLength(1);
});

test('compaction waits where it would have to copy much more of other topics than it could save', async () => {
  const engine = await compactedEngine({ segmentBytes: 100_000 });
  await engine.createTopic('ticks', { partitionCount: 1 });
  for (let i = 0; i < 20; i++) {
    await logOf(engine, 'ticks').append(numberedBatch('x'.repeat(100), 20), 'written');
    await logOf(engine, 't').append(batchOf([{ key: 'k', value: `${i}` }]), 'written');
  }
  await sealAll(engine, 'x');
  await engine.maintain();
  expect(await recordsFrom(logOf(engine, 't'), 0n)).toHaveLength(20);
  await logOf(engine, 'ticks').deleteRecordsBefore(-1n);
  await engine.maintain();
  expect(await recordsFrom(logOf(engine, 't'), 0n)).toHaveLength(1);
});

test('a snapshot that was taken before compaction still has every record', async () => {
  const dataDir = temporaryFolder();
  const engine = await compactedEngine({ dataDir });
  for (let i = 0; i < 60; i++) await logOf(engine, 't').append(batchOf([{ key: 'k', value: `${i}` }]), 'written');
  await sealAll(engine, 'before');
  await engine.maintain();
  await sealAll(engine, 'after');
  const [before, after] = [await readSnapshot(dataDir, 'default@before'), await readSnapshot(dataDir, 'default@after')];
  expect(await recordsFrom(before.partition('t', 0)!, 0n)).toHaveLength(60);
  expect(await recordsFrom(after.partition('t', 0)!, 0n)).toEqual([{ key: 'k', value: '59', offset: 59n }]);
});
