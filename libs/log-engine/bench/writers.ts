import { setTimeout as delay } from 'node:timers/promises';
import type { Durability, PartitionLog } from '@tickfold/log-engine';
import { perSecond } from '@tickfold/testkit/figures';

/** How appends are made: so many writers, each waiting for its acknowledgement before it appends again. */
export interface Writing {
  writers: number;
  durability: Durability;
  recordsPerBatch: number;
  batchOf: (recordCount: number) => Buffer;
  /** Where the next append goes. */
  next: () => PartitionLog;
}

export interface Written {
  recordsPerSecond: number;
  /** From before the encoding to the acknowledgement. */
  latenciesMs: number[];
}

/** Appends for so long; counts what was acknowledged. */
export async function appendFor(elapseMs: number, writing: Writing): Promise<Written> {
  const latenciesMs: number[] = [];
  const begin = performance.now();
  await appendUntil(
    () => performance.now() - begin >= elapseMs,
    writing,
    (latencyMs) => latenciesMs.push(latencyMs),
  );
  const elapsedMs = performance.now() - begin;
  return { recordsPerSecond: perSecond(latenciesMs.length * writing.recordsPerBatch, elapsedMs), latenciesMs };
}

/** Appends for so long at a given rate, each writer its part of it; one that is late does not rest until it has caught up. */
export async function appendAtRate(elapseMs: number, recordsPerSecond: number, writing: Writing): Promise<Written> {
  const { writers, durability, recordsPerBatch, batchOf, next } = writing;
  const intervalMs = (1_000 * recordsPerBatch * writers) / recordsPerSecond;
  const latenciesMs: number[] = [];
  const begin = performance.now();
  const write = async (_: unknown, writer: number): Promise<void> => {
    for (let dueMs = begin + (writer / writers) * intervalMs; dueMs - begin < elapseMs; dueMs += intervalMs) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const askedAtMs = performance.now();
      await next().append(batchOf(recordsPerBatch), durability);
      latenciesMs.push(performance.now() - askedAtMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const elapsedMs = performance.now() - begin;
  return { recordsPerSecond: perSecond(latenciesMs.length * recordsPerBatch, elapsedMs), latenciesMs };
}

/** Appends until told to stop, and waits for what is under way. */
export async function appendUntil(
  isEnough: () => boolean,
  { writers, durability, recordsPerBatch, batchOf, next }: Writing,
  onAppended: (latencyMs: number) => void = () => undefined,
): Promise<void> {
  const write = async (): Promise<void> => {
    while (!isEnough()) {
      const begin = performance.now();
      await next().append(batchOf(recordsPerBatch), durability);
      onAppended(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/** One log after the other, over and over. */
export function inTurn(logs: readonly PartitionLog[]): () => PartitionLog {
  let i = 0;
  return () => logs[i++ % logs.length]!;
}
