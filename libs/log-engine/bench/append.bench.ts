/**
 * Batches of 500 records of 100 bytes, acknowledged after the write and after `fdatasync`; then read back. Prints its
 * figures as one line of JSON.
 *
 *   npm run bench -- log
 *
 * BENCH_DIR (default: the current folder) must lie on a real disk; a folder inside it is made and removed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { type Durability, openLogEngine, type PartitionLog } from '@tickfold/log-engine';

const RECORDS_PER_BATCH = 500;
const KEY = 'symbol-0001';
const RECORD_BYTES = 100;

const parent = resolve(process.env.BENCH_DIR ?? '.');
const seconds = Number(process.env.BENCH_SECONDS ?? 3);

interface Figure {
  name: string;
  value: number;
  unit: string;
}
const figures: Figure[] = [];

let serial = 0;

/** Records with distinct content, encoded anew each time. */
function encodeBatch(recordCount: number): Buffer {
  const builder = new RecordBatchBuilder(recordCount * (RECORD_BYTES + 16) + 100);
  for (let i = 0; i < recordCount; i++) {
    const value = String(serial++).padEnd(RECORD_BYTES - KEY.length, 'v');
    builder.append(KEY, value, 1_700_000_000_000);
  }
  return builder.finish();
}

const sampleBatch = encodeBatch(RECORDS_PER_BATCH);

async function appendFor(
  log: PartitionLog,
  durability: Durability,
  writers: number,
  batchOf: () => Buffer,
): Promise<{ appends: number; latenciesMs: number[]; elapsedMs: number }> {
  const latenciesMs: number[] = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let now = performance.now(); now < end; now = performance.now()) {
        await log.append(batchOf(), durability);
        latenciesMs.push(performance.now() - now);
      }
    }),
  );
  return { appends: latenciesMs.length, latenciesMs, elapsedMs: performance.now() - begin };
}

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Number(sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!.toFixed(2));
}

async function readFor(log: PartitionLog): Promise<number> {
  let offset = log.logStartOffset;
  const begin = performance.now();
  let records = 0;
  while (performance.now() - begin < seconds * 1000) {
    const { batches, highWatermark } = await log.read(offset, 1024 * 1024);
    records += batches.length * RECORDS_PER_BATCH;
    offset += BigInt(batches.length * RECORDS_PER_BATCH);
    if (offset >= highWatermark) offset = log.logStartOffset;
  }
  return (records / (performance.now() - begin)) * 1000;
}

mkdirSync(parent, { recursive: true });
const dataDir = mkdtempSync(join(parent, '.append-bench-'));
const engine = await openLogEngine({ dataDir });
const cases: [string, Durability, number, number, () => Buffer][] = [
  ['written, encoded before', 'written', 8, RECORDS_PER_BATCH, () => sampleBatch],
  ['written, encoded inside', 'written', 8, RECORDS_PER_BATCH, () => encodeBatch(RECORDS_PER_BATCH)],
  ['synced, 8 writers, encoded before', 'synced', 8, RECORDS_PER_BATCH, () => sampleBatch],
  ['synced, 8 writers, encoded inside', 'synced', 8, RECORDS_PER_BATCH, () => encodeBatch(RECORDS_PER_BATCH)],
  ['single records, 64 writers, synced', 'synced', 64, 1, () => encodeBatch(1)],
];
try {
  for (const [i, [name, durability, writers, recordsPerBatch, batchOf]] of cases.entries()) {
    await engine.createTopic(`bench.t${i}`, { partitionCount: 1 });
    const log = engine.partition(`bench.t${i}`, 0)!;
    const { appends, latenciesMs, elapsedMs } = await appendFor(log, durability, writers, batchOf);
    const perSecond = Math.round(((appends * recordsPerBatch) / elapsedMs) * 1000);
    figures.push(
      { name, value: perSecond, unit: 'records/s' },
      { name: `${name}, p50`, value: percentile(latenciesMs, 0.5), unit: 'ms' },
      { name: `${name}, p99`, value: percentile(latenciesMs, 0.99), unit: 'ms' },
    );
  }
  const read = await readFor(engine.partition('bench.t3', 0)!);
  figures.push({ name: 'read, CRC checked', value: Math.round(read), unit: 'records/s' });
  figures.push({
    name: 'memory of the process',
    value: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    unit: 'MiB',
  });
} finally {
  await engine.close();
  rmSync(dataDir, { recursive: true, force: true });
}
console.log(JSON.stringify(figures));
