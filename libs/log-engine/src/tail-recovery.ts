/**
 * The last segment of a journal, which alone may end in a torn frame: nothing tells that its end ever was durable. A frame
 * that is not whole is torn, and all from there on is cut off, unless a mark behind it says that it was durable once. Then
 * it was acknowledged and has been damaged since: it is passed over, and what lies behind it still counts.
 */
import { join } from 'node:path';
import type { EngineEvent } from './api.ts';
import { batchBaseOffset, batchLastOffsetDelta } from './batch-header.ts';
import { parseControlRecord } from './control-record.ts';
import type { DiskFile } from './disk.ts';
import { EngineError } from './errors.ts';
import { frameAppendTimeMs, frameSizeBytes, TEXT_CRC_BYTES } from './frame.ts';
import type { EngineContext } from './journal-context.ts';
import { type Checkpoint, JournalState } from './journal-state.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from './layout.ts';
import { addStored, PartitionProducers } from './partition-producers.ts';
import { addToIndex } from './sealed-segment.ts';
import { ActiveSegment, markedTo, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import type { SegmentHeader } from './segment-header.ts';
import { GrowingIndex } from './segment-index.ts';
import { type FrameVisitor, type ScanMode, type ScanResult, scanSegment } from './segment-scan.ts';
import { SegmentTail } from './tail-cache.ts';

const WINDOW_BYTES = 1024 * 1024;

/** What the last segment says. */
export interface Tail {
  segment: ActiveSegment;
  checkpoint: Checkpoint;
  /** Two copies of the fold over the checkpoint and the control records after it. */
  appended: JournalState;
  durable: JournalState;
  /** Of each partition, the offset that its next record gets. */
  nextOffsets: ReadonlyMap<number, number>;
  producers: ReadonlyMap<number, PartitionProducers>;
}

/**
 * Scans the last segment, cuts it where it is torn, and makes what is left durable.
 * @param tell told what was cut or passed over
 * @throws EngineError `journal-damaged`, `format-newer`
 */
export async function recoverTail(
  context: EngineContext,
  folder: string,
  header: SegmentHeader,
  tell: (kind: EngineEvent['kind'], detail: string) => void,
): Promise<Tail> {
  const { segmentNumber } = header;
  const path = join(folder, segmentBaseName({ number: segmentNumber, generation: 0 }) + SEGMENT_ENDING);
  const file = await context.disk.openForWriting(path);
  try {
    const sizeBytes = await file.sizeBytes();
    const { found, endsAt, damaged } = await scanTail(file, segmentNumber, sizeBytes);
    // A segment gets its name only once its checkpoint is durable, so this is no torn tail that may be cut.
    if (found.state === undefined) {
      throw new EngineError('journal-damaged', `${path}, the newest of its journal, has no whole checkpoint`);
    }
    for (const { from, to } of damaged) {
      const lost = 'the records there, topics and group offsets among them, are lost, what lies behind still counts';
      tell('range-damaged', `${path}, bytes ${from} to ${to}: was durable, and holds no whole frame any more; ${lost}`);
    }
    if (endsAt < sizeBytes) {
      await file.truncate(endsAt);
      tell('truncated-tail', `${path} was cut from ${sizeBytes} to ${endsAt} bytes, behind its last whole frame`);
    }
    await writeAgain(file, found.durableTo, endsAt);
    // What a killed process wrote may lie in the system's memory only; readers will see it, so it must stay.
    await file.sync();
    await context.disk.syncFolder(folder);
    const memory = new SegmentTail(context.tailCache, endsAt);
    const segment = new ActiveSegment(segmentNumber, header, memory, found.index, file);
    segment.lastAppendMs = Math.max(segment.createdAtMs, found.lastAppendMs);
    segment.checkpointBytes = found.state.checkpointBytes;
    segment.syncedTo = endsAt;
    // Code that knows format 1 only would take a mark for a torn tail.
    segment.markedTo = header.formatVersion === 1 ? Number.POSITIVE_INFINITY : found.markedTo;
    const { state, nextOffsets, producers } = found;
    return { segment, ...state, nextOffsets, producers };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Where a sync has failed, the system shows bytes as if they were on the disk, and they never get there. Nothing tells such
 * bytes from others, so all that no mark vouches for is written once more.
 */
async function writeAgain(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += WINDOW_BYTES) {
    const bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, to - at));
    await file.write([bytes.subarray(0, await file.read(bytes, at))], at);
  }
}

async function scanTail(
  file: DiskFile,
  segmentNumber: number,
  sizeBytes: number,
): Promise<ScanResult & { found: TailFindings }> {
  const scan = async (mode: ScanMode) => {
    const found = new TailFindings();
    return { ...(await scanSegment(file, { segmentNumber, sizeBytes }, mode, found)), found };
  };
  const untilDamaged = await scan('cut');
  if (untilDamaged.endsAt === sizeBytes) return untilDamaged;
  const durableTo = await highestMark(file, { segmentNumber, sizeBytes, from: untilDamaged.endsAt });
  if (durableTo <= untilDamaged.endsAt) return untilDamaged;
  const whole = await scan({ skipBelow: durableTo });
  whole.found.finish();
  return whole;
}

/** Up to where the marks behind a position say that the segment was durable. */
async function highestMark(
  file: DiskFile,
  segment: { segmentNumber: number; sizeBytes: number; from: number },
): Promise<number> {
  let highest = 0;
  await scanSegment(file, segment, 'skip', {
    batch: () => true,
    control: () => undefined,
    opening: () => undefined,
    mark: (_, syncedTo) => {
      highest = Math.max(highest, syncedTo);
    },
  });
  return highest;
}

/**
 * Gathers what a scan of the last segment finds. A batch must go on just where its partition ended; only behind a range
 * that was passed over each partition may go on farther along, once.
 */
class TailFindings implements FrameVisitor {
  readonly index = new GrowingIndex();
  readonly nextOffsets = new Map<number, number>();
  producers = new Map<number, PartitionProducers>();
  /** Set by the checkpoint. */
  state: (Pick<Tail, 'checkpoint' | 'appended' | 'durable'> & { checkpointBytes: number }) | undefined;
  markedTo = 0;
  /** Everything below was durable when the last mark was written. */
  durableTo = 0;
  lastAppendMs = 0;
  /** Partitions that have gone on since the last range that was passed over; undefined when there was none. */
  #goneOn: Set<number> | undefined;
  /** Of partitions that have not gone on behind a damaged batch: what that batch says of its end, as far as it can be told. */
  readonly #takenUpTo = new Map<number, number>();

  batch(partitionId: number, position: number, bytes: Buffer, at: number, sizeBytes: number): boolean {
    const baseOffset = batchBaseOffset(bytes, at);
    if (this.state === undefined || !this.#follows(partitionId, baseOffset)) return false;
    this.#reach(partitionId, baseOffset + batchLastOffsetDelta(bytes, at) + 1);
    const appendTimeMs = frameAppendTimeMs(bytes, at - FRAME_HEADER.sizeBytes);
    this.lastAppendMs = Math.max(this.lastAppendMs, appendTimeMs);
    addStored(this.producers, partitionId, bytes, at, baseOffset, appendTimeMs);
    return addToIndex(this.index, partitionId, position, bytes, at, sizeBytes);
  }

  control(text: string): void {
    const record = parseControlRecord(text);
    this.state?.appended.apply(record);
    this.state?.durable.apply(record);
  }

  opening(text: string): void {
    const checkpoint = JSON.parse(text) as Checkpoint;
    for (const [id, , nextOffset] of checkpoint.partitions) this.nextOffsets.set(id, nextOffset);
    this.producers = PartitionProducers.fromCheckpoint(checkpoint);
    const checkpointBytes = frameSizeBytes(TEXT_CRC_BYTES + Buffer.byteLength(text));
    const [appended, durable] = [JournalState.fromCheckpoint(checkpoint), JournalState.fromCheckpoint(checkpoint)];
    this.state = { checkpoint, checkpointBytes, appended, durable };
    this.durableTo = SEGMENT_HEADER.sizeBytes + checkpointBytes;
    this.markedTo = this.durableTo;
  }

  mark(position: number, syncedTo: number): void {
    this.durableTo = Math.max(this.durableTo, syncedTo);
    this.markedTo = Math.max(this.markedTo, markedTo(position, syncedTo));
  }

  gap(): void {
    this.#goneOn = new Set();
  }

  damagedBatch(partitionId: number, bytes: Buffer, at: number, sizeBytes: number): void {
    const baseOffset = batchBaseOffset(bytes, at);
    if (!this.#follows(partitionId, baseOffset)) return;
    const delta = batchLastOffsetDelta(bytes, at);
    // No record takes less than a byte; a delta beyond that is itself damaged.
    this.#takenUpTo.set(partitionId, baseOffset + (delta >= 0 && delta < sizeBytes ? delta : 0) + 1);
    this.#takeNumber(partitionId);
  }

  /** Offsets of damaged batches at a log's end were given to writers and readers: they are not given a second time. */
  finish(): void {
    for (const [partitionId, nextOffset] of this.#takenUpTo) this.nextOffsets.set(partitionId, nextOffset);
  }

  #follows(partitionId: number, baseOffset: number): boolean {
    const nextOffset = this.nextOffsets.get(partitionId) ?? 0;
    const mayJump = this.#goneOn !== undefined && !this.#goneOn.has(partitionId);
    return baseOffset === nextOffset || (mayJump && baseOffset > nextOffset);
  }

  #reach(partitionId: number, nextOffset: number): void {
    this.nextOffsets.set(partitionId, nextOffset);
    if (this.#goneOn === undefined) return;
    this.#goneOn.add(partitionId);
    this.#takenUpTo.delete(partitionId);
    this.#takeNumber(partitionId);
  }

  #takeNumber(partitionId: number): void {
    if (this.state === undefined) return;
    // The record that gave this number away may be lost: no new topic may get it, and these batches with it.
    for (const state of [this.state.appended, this.state.durable]) {
      state.nextPartitionId = Math.max(state.nextPartitionId, partitionId + 1);
    }
  }
}
