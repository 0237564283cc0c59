import { BATCH_HEADER_BYTES, batchFault } from './batch-header.ts';
import type { DiskFile } from './disk.ts';
import {
  FRAME_ALIGNMENT,
  FRAME_PROBE_BYTES,
  FRAME_TYPES,
  frameHeaderIsValid,
  framePartitionId,
  framePayloadBytes,
  frameSizeBytes,
  frameType,
  markSyncedTo,
  readFrameText,
} from './frame.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from './layout.ts';

const WINDOW_BYTES = 1024 * 1024;

/** Told about each whole frame, in order. Bytes are valid only during the call. */
export interface FrameVisitor {
  /** False when the batch does not follow on what came before; it is then treated as damaged. */
  batch(partitionId: number, position: number, bytes: Buffer, at: number, sizeBytes: number): boolean;
  control(text: string): void;
  /** The checkpoint that opens the segment. */
  opening(text: string): void;
  /** The segment was durable up to `syncedTo` when this mark was written at `position`. */
  mark?(position: number, syncedTo: number): void;
  /** What lies between a whole frame's payload and the next frame; no CRC covers it. */
  padding?(position: number, bytes: Buffer): void;
  /** Here begins a range that is passed over. */
  gap?(position: number): void;
  /** A batch that is passed over: its frame's header and its base offset are whole, its records are not. */
  damagedBatch?(partitionId: number, bytes: Buffer, at: number, sizeBytes: number): void;
}

/**
 * What is done at a frame that is not whole: `cut` ends there, `skip` looks for the next whole one behind it. With
 * `skipBelow` it is skipped before that position, and cut from there on.
 */
export type ScanMode = 'cut' | 'skip' | { skipBelow: number };

export interface ScanResult {
  /** Where the scan ended: at the end of the file, or where it is to be cut. */
  endsAt: number;
  /** Ranges of bytes that hold no whole frame and were passed over. */
  damaged: { from: number; to: number }[];
}

/** Reads a segment's frames, by default from its header on, with every CRC checked. No more than a window lies in memory. */
export async function scanSegment(
  file: DiskFile,
  segment: { segmentNumber: number; sizeBytes: number; from?: number },
  mode: ScanMode,
  visitor: FrameVisitor,
): Promise<ScanResult> {
  const { segmentNumber, sizeBytes } = segment;
  const window = new Window(file, sizeBytes);
  const skipBelow = mode === 'cut' ? 0 : mode === 'skip' ? Number.POSITIVE_INFINITY : mode.skipBelow;
  const damaged: ScanResult['damaged'] = [];
  let position = segment.from ?? SEGMENT_HEADER.sizeBytes;
  while (position < sizeBytes) {
    if (!window.holds(position, FRAME_PROBE_BYTES)) await window.load(position, FRAME_PROBE_BYTES);
    let step = FRAME_ALIGNMENT;
    if (frameHeaderIsValid(window.bytes, position - window.start, segmentNumber, position)) {
      const payloadBytes = framePayloadBytes(window.bytes, position - window.start);
      const frameBytes = frameSizeBytes(payloadBytes);
      if (!window.holds(position, frameBytes)) await window.load(position, frameBytes);
      if (position + frameBytes <= sizeBytes && visitFrame(window.bytes, position - window.start, position, visitor)) {
        const endsAt = position + frameBytes - window.start;
        const payloadEndsAt = position + FRAME_HEADER.sizeBytes + payloadBytes - window.start;
        visitor.padding?.(position, window.bytes.subarray(payloadEndsAt, endsAt));
        position += frameBytes;
        continue;
      }
      // The header vouches for the length, so nothing inside this payload may be taken for a frame.
      step = frameBytes;
    }
    if (position >= skipBelow) break;
    const last = damaged.at(-1);
    const next = Math.min(position + step, sizeBytes);
    if (last?.to === position) {
      last.to = next;
    } else {
      damaged.push({ from: position, to: next });
      visitor.gap?.(position);
    }
    if (step > FRAME_ALIGNMENT) visitDamaged(window.bytes, position - window.start, visitor);
    position = next;
  }
  return { endsAt: position, damaged };
}

function visitFrame(bytes: Buffer, at: number, position: number, visitor: FrameVisitor): boolean {
  const payloadAt = at + FRAME_HEADER.sizeBytes;
  const payloadBytes = framePayloadBytes(bytes, at);
  const type = frameType(bytes, at);
  if (type === FRAME_TYPES.batch) {
    if (batchFault(bytes, payloadAt, payloadBytes) !== undefined) return false;
    return visitor.batch(framePartitionId(bytes, at), position, bytes, payloadAt, payloadBytes);
  }
  if (type === FRAME_TYPES.mark) return visitMark(bytes, at, position, visitor);
  if (type !== FRAME_TYPES.control && type !== FRAME_TYPES.checkpoint) return false;
  const text = readFrameText(bytes.subarray(payloadAt, payloadAt + payloadBytes));
  if (text === undefined) return false;
  if (type === FRAME_TYPES.control) visitor.control(text);
  else visitor.opening(text);
  return true;
}

function visitMark(bytes: Buffer, at: number, position: number, visitor: FrameVisitor): boolean {
  const syncedTo = markSyncedTo(bytes, at);
  if (framePayloadBytes(bytes, at) !== 0 || syncedTo > position) return false;
  visitor.mark?.(position, syncedTo);
  return true;
}

function visitDamaged(bytes: Buffer, at: number, visitor: FrameVisitor): void {
  const payloadAt = at + FRAME_HEADER.sizeBytes;
  const payloadBytes = framePayloadBytes(bytes, at);
  const isBatch = frameType(bytes, at) === FRAME_TYPES.batch && payloadBytes >= BATCH_HEADER_BYTES;
  if (!isBatch || payloadAt + payloadBytes > bytes.length) return;
  visitor.damagedBatch?.(framePartitionId(bytes, at), bytes, payloadAt, payloadBytes);
}

/** The part of a file that lies in memory. */
class Window {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  #memory: Buffer = Buffer.alloc(0);
  readonly #file: DiskFile;
  readonly #fileBytes: number;

  constructor(file: DiskFile, fileBytes: number) {
    this.#file = file;
    this.#fileBytes = fileBytes;
  }

  /** True when as much of that range is here as the file has. */
  holds(position: number, sizeBytes: number): boolean {
    const end = Math.min(position + sizeBytes, this.#fileBytes);
    return position >= this.start && end <= this.start + this.bytes.length;
  }

  async load(position: number, sizeBytes: number): Promise<void> {
    const wanted = Math.min(Math.max(sizeBytes, WINDOW_BYTES), this.#fileBytes - position);
    if (this.#memory.length < wanted) this.#memory = Buffer.allocUnsafeSlow(wanted);
    const read = await this.#file.read(this.#memory.subarray(0, wanted), position);
    this.bytes = this.#memory.subarray(0, read);
    this.start = position;
  }
}
