/** The process that works on the big volume, and is killed while it writes. Ordered about by big-volume.ts. */
import { readFileSync } from 'node:fs';
import { type LogEngine, openLogEngine, type PartitionLog } from '@tickfold/log-engine';
import { BIG_QUOTA_BYTES, BIG_VOLUME } from './big-volume.ts';
import { encodeBatch } from './content.ts';
import { readThrough } from './reading.ts';
import { makeTopics, RECORDS_PER_SMALL_BATCH } from './topics.ts';
import { appendUntil, inTurn } from './writers.ts';

export type ChildOrder =
  | { task: 'fill'; dataDir: string; topics: number; bytes: number }
  | { task: 'open' | 'use'; dataDir: string };

export interface ChildReport {
  openMs: number;
  topics: number;
  sizeBytes: number;
  /** Memory of the process: its own pages, and its share of those that others use too. */
  memoryBytes: number;
}

/** How much of its last segment a killed process leaves at least: three quarters. */
const TAIL_BYTES = 48 * 1024 * 1024;
const USED_TOPICS = 20;
const USED_BYTES = 50e6;

process.once('message', (order: ChildOrder) => {
  obey(order).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});

async function obey(order: ChildOrder): Promise<void> {
  const begin = performance.now();
  const engine = await openLogEngine({ dataDir: order.dataDir, volumeQuotaBytes: BIG_QUOTA_BYTES });
  const openMs = performance.now() - begin;
  const report = (): Promise<void> => tellParent({ openMs, ...describe(engine) });
  if (order.task === 'use') {
    await useSome(engine);
    return report();
  }
  const logs = order.task === 'fill' ? await makeTopics(engine, BIG_VOLUME, order.topics) : logsOf(engine);
  const bytes = order.task === 'fill' ? order.bytes : 0;
  let isReported = false;
  const tail = tailOf(engine);
  await write(logs, () => {
    if (!isReported && sizeOf(engine) >= bytes && tail() >= TAIL_BYTES) {
      isReported = true;
      void report();
    }
    return false;
  });
}

/** Reads a few topics whole and writes to all. */
async function useSome(engine: LogEngine): Promise<void> {
  const logs = logsOf(engine);
  for (const log of logs.slice(0, USED_TOPICS)) await readThrough(log);
  const end = sizeOf(engine) + USED_BYTES;
  await write(logs, () => sizeOf(engine) >= end);
}

function write(logs: PartitionLog[], isEnough: () => boolean): Promise<void> {
  const writing = { writers: 64, durability: 'written' as const, recordsPerBatch: RECORDS_PER_SMALL_BATCH };
  return appendUntil(isEnough, { ...writing, batchOf: encodeBatch, next: inTurn(logs) });
}

function logsOf(engine: LogEngine): PartitionLog[] {
  return engine.topics().map(({ name }) => engine.partition(name, 0)!);
}

const sizeOf = (engine: LogEngine): number => engine.volumes()[0]!.sizeBytes;

/** Tells how much was written since the last segment began. */
function tailOf(engine: LogEngine): () => number {
  let segments = -1;
  let begin = 0;
  return () => {
    const [volume] = engine.volumes();
    if (volume!.segments !== segments) {
      segments = volume!.segments;
      begin = volume!.sizeBytes;
    }
    return volume!.sizeBytes - begin;
  };
}

function describe(engine: LogEngine): Omit<ChildReport, 'openMs'> {
  return { topics: engine.topics().length, sizeBytes: sizeOf(engine), memoryBytes: memoryBytes() };
}

/** Proportional set size where the system tells it, else the resident one. */
function memoryBytes(): number {
  try {
    const rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)![1]) * 1024;
  } catch {
    return process.memoryUsage.rss();
  }
}

function tellParent(report: ChildReport): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(report, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
