/**
 * Freezing and opening a volume of many sealed segments, at rest and under a writer. Prints its figures as one line of
 * JSON.
 *
 * BENCH_DIR (default: the current folder) must lie on a real disk; a folder inside it is made and removed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { deleteSnapshot, openLogEngine, openSnapshot, type PartitionLog } from '@tickfold/log-engine';

const SEGMENTS = 80;
const SEGMENT_BYTES = 1024 * 1024;
const ROUNDS = 30;

const parent = resolve(process.env.BENCH_DIR ?? '.');

function batchOf(recordCount: number): Buffer {
  const builder = new RecordBatchBuilder(recordCount * 120 + 100);
  for (let i = 0; i < recordCount; i++) builder.append(`symbol-${i}`, 'v'.repeat(90), 1_700_000_000_000);
  return builder.finish();
}

const batch = batchOf(500);

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Number(sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!.toFixed(2));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Appends until it is told to stop; resolves to how long each append took. */
function writer(log: PartitionLog): { stop: () => Promise<number[]> } {
  let stopping = false;
  const latenciesMs: number[] = [];
  const running = (async () => {
    while (!stopping) latenciesMs.push(await timed(() => log.append(batchOf(1), 'synced')));
  })();
  const stop = async (): Promise<number[]> => {
    stopping = true;
    await running;
    return latenciesMs;
  };
  return { stop };
}

mkdirSync(parent, { recursive: true });
const dataDir = mkdtempSync(join(parent, '.snapshot-bench-'));
const engine = await openLogEngine({ dataDir, segmentBytes: SEGMENT_BYTES });
const figures: { name: string; value: number; unit: string }[] = [];
try {
  await engine.createTopic('bench.t', { partitionCount: 1 });
  const log = engine.partition('bench.t', 0)!;
  while (engine.volumes()[0]!.segments <= SEGMENTS) await log.append(batch, 'written');

  const [atRest, written, opened]: number[][] = [[], [], []];
  for (let i = 0; i < ROUNDS; i++) {
    await log.append(batchOf(1), 'synced');
    atRest!.push(await timed(() => engine.createSnapshot('bench@x', {})));
    opened!.push(await timed(async () => (await openSnapshot(dataDir, 'bench@x')).close()));
    await deleteSnapshot(dataDir, 'bench@x');
  }
  const { stop } = writer(log);
  for (let i = 0; i < ROUNDS; i++) {
    written!.push(await timed(() => engine.createSnapshot('bench@x', {})));
    await deleteSnapshot(dataDir, 'bench@x');
  }
  const appends = await stop();
  for (const [name, values] of [
    [`snapshot of ${SEGMENTS} segments, at rest`, atRest!],
    [`snapshot of ${SEGMENTS} segments, under a writer`, written!],
    ['synced appends of that writer', appends],
    ['opening that snapshot', opened!],
  ] as const) {
    figures.push(
      { name: `${name}, p50`, value: percentile(values, 0.5), unit: 'ms' },
      { name: `${name}, p99`, value: percentile(values, 0.99), unit: 'ms' },
    );
  }
} finally {
  await engine.close();
  rmSync(dataDir, { recursive: true, force: true });
}
console.log(JSON.stringify(figures));
