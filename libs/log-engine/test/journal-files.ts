/** Journals as files: written by an engine, then looked at, copied and damaged. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineOptions, LogEngine } from '../src/api.ts';
import {
  FRAME_TYPES,
  type FrameType,
  framePayloadBytes,
  frameSizeBytes,
  frameType,
  markSyncedTo,
} from '../src/frame.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from '../src/layout.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Small segments, so that a few dozen batches make several of them. */
export const SMALL = { segmentBytes: 2048 };

export function journalOf(dataDir: string, volume = 'default'): string {
  return join(dataDir, volume, 'journal');
}

/** Opens, does the work, closes. */
export async function withEngine<T>(
  dataDir: string,
  work: (engine: Awaited<ReturnType<typeof openEngine>>) => Promise<T>,
  options: Partial<EngineOptions> = SMALL,
): Promise<T> {
  const engine = await openEngine({ dataDir, ...options });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** Appends so many one-record batches to topic `t`, each when the one before is synced, and gives all of its values. */
export async function appendTo(engine: LogEngine, batchCount: number): Promise<string[]> {
  if (engine.topic('t') === undefined) await engine.createTopic('t', { partitionCount: 1 });
  for (let i = 0; i < batchCount; i++) await logOf(engine, 't').append(numberedBatch(`v${i}`), 'synced');
  return valuesOf(logOf(engine, 't'));
}

/** A volume with one topic `t` of so many one-record batches over several segments; gives the values. */
export function written(dataDir: string, batchCount: number): Promise<string[]> {
  return withEngine(dataDir, (engine) => appendTo(engine, batchCount));
}

/** What a process that is killed now would leave of the volume `default`. */
export function copyOf(dataDir: string): string {
  const copy = temporaryFolder();
  cpSync(join(dataDir, 'default'), join(copy, 'default'), { recursive: true });
  return copy;
}

export function lastSegment(dataDir: string): string {
  const names = readdirSync(journalOf(dataDir)).filter((name) => name.endsWith('.segment'));
  return join(journalOf(dataDir), names.sort().at(-1)!);
}

export interface FoundFrame {
  type: FrameType;
  from: number;
  /** Where its payload ends; zeros up to `to` follow. */
  payloadTo: number;
  to: number;
  /** Of a mark; else 0. */
  syncedTo: number;
}

/** The frames of a segment that is whole, in order. */
export function framesOf(path: string): FoundFrame[] {
  const bytes = readFileSync(path);
  const frames: FoundFrame[] = [];
  for (let from = SEGMENT_HEADER.sizeBytes; from < bytes.length; from = frames.at(-1)!.to) {
    const type = frameType(bytes, from) as FrameType;
    const payloadTo = from + FRAME_HEADER.sizeBytes + framePayloadBytes(bytes, from);
    const to = from + frameSizeBytes(framePayloadBytes(bytes, from));
    frames.push({ type, from, payloadTo, to, syncedTo: type === FRAME_TYPES.mark ? markSyncedTo(bytes, from) : 0 });
  }
  return frames;
}

/** Turns one bit of a file over. */
export function flip(path: string, at: number, bit = 2): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1 << bit;
  writeFileSync(path, bytes);
}
