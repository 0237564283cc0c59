import { batchAttributes, batchLastOffsetDelta, batchMaxTimestampMs, placeBatch } from './batch-header.ts';
import type { DiskFile } from './disk.ts';
import {
  FRAME_ALIGNMENT,
  FRAME_TYPES,
  type FrameType,
  frameSizeBytes,
  MARK_BYTES,
  TEXT_CRC_BYTES,
  writeFrameAround,
  writeTextFrameAround,
} from './frame.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from './layout.ts';
import { readSegmentHeader, type SegmentIdentity, writeSegmentHeader } from './segment-header.ts';
import { GrowingIndex, type SegmentIndex } from './segment-index.ts';
import type { SegmentTail } from './tail-cache.ts';

export const SEGMENT_ENDING = '.segment';
export const INDEX_ENDING = '.index';

/** Which file of a journal a segment is. */
export interface SegmentName {
  readonly number: number;
  /** 0 of a plain segment, from 1 on of a side segment. */
  readonly generation: number;
}

const NUMBER_DIGITS = 10;
const GENERATION_DIGITS = 3;
const SEGMENT_FILE = /^(\d{10})(?:-(\d{3,}))?\.segment$/;

/** `0000000012`, of a side segment `0000000012-001`: file names sort as segments do. */
export function segmentBaseName({ number, generation }: SegmentName): string {
  const plain = String(number).padStart(NUMBER_DIGITS, '0');
  return generation === 0 ? plain : `${plain}-${String(generation).padStart(GENERATION_DIGITS, '0')}`;
}

/** The segment that a file of this name is; undefined for other files. */
export function parseSegmentFile(fileName: string): SegmentName | undefined {
  const match = SEGMENT_FILE.exec(fileName);
  return match === null ? undefined : { number: Number(match[1]), generation: Number(match[2] ?? 0) };
}

/** One file of a journal, as readers see it. */
export interface Segment extends SegmentName {
  readonly sizeBytes: number;
  /** Bytes of its index file; 0 while there is none. */
  readonly indexBytes: number;
  readonly index: SegmentIndex;
  /** What of it lies in memory; undefined for none. */
  readonly tail: SegmentTail | undefined;
}

/** The segment that is appended to. It turns into a sealed one when its index is in place. */
export class ActiveSegment implements Segment {
  readonly number: number;
  readonly generation = 0;
  readonly indexBytes = 0;
  readonly index: GrowingIndex;
  readonly tail: SegmentTail;
  readonly headerCrc: number;
  readonly createdAtMs: number;
  lastAppendMs: number;
  /** Undefined until the first write makes the file. */
  file: DiskFile | undefined;
  /** Bytes of the checkpoint that it opens with. */
  checkpointBytes = 0;
  /** Up to which position the file is durable. */
  syncedTo = 0;
  /** Up to which position the file itself tells that it is durable. */
  markedTo = 0;
  /** Resolves when its index is in place, rejects when that will never come. */
  readonly sealing = deferred();

  constructor(
    segmentNumber: number,
    { crc, createdAtMs }: { crc: number; createdAtMs: number },
    tail: SegmentTail,
    index = new GrowingIndex(),
    file?: DiskFile,
  ) {
    this.number = segmentNumber;
    this.headerCrc = crc;
    this.createdAtMs = createdAtMs;
    this.lastAppendMs = createdAtMs;
    this.tail = tail;
    this.index = index;
    this.file = file;
  }

  /** A new segment that holds its header and checkpoint, in memory. */
  static begin(identity: SegmentIdentity, checkpoint: string, tail: SegmentTail): ActiveSegment {
    const { bytes, at } = tail.reserve(SEGMENT_HEADER.sizeBytes);
    const header = bytes.subarray(at, at + SEGMENT_HEADER.sizeBytes);
    writeSegmentHeader(header, identity);
    const segment = new ActiveSegment(identity.segmentNumber, readSegmentHeader(header, '')!, tail);
    segment.checkpointBytes = segment.appendText(FRAME_TYPES.checkpoint, checkpoint, identity.createdAtMs);
    // A segment gets its name only when its checkpoint is durable.
    segment.markedTo = segment.sizeBytes;
    return segment;
  }

  get sizeBytes(): number {
    return this.tail.end;
  }

  /** Bytes that came after the checkpoint. */
  get appendedBytes(): number {
    return this.sizeBytes - SEGMENT_HEADER.sizeBytes - this.checkpointBytes;
  }

  /** True when more of it is durable than it tells. */
  get markIsDue(): boolean {
    return this.syncedTo > this.markedTo;
  }

  /**
   * Copies the batch of `sizeBytes` bytes at `from` in and gives it its place. Returns the bytes of its frame, and of the
   * mark before it.
   */
  appendBatch(
    partitionId: number,
    baseOffset: number,
    appendTimeMs: number,
    source: Buffer,
    from: number,
    sizeBytes: number,
  ): number {
    const markBytes = this.markIsDue ? this.appendMark(appendTimeMs) : 0;
    const position = this.tail.end;
    const frameBytes = frameSizeBytes(sizeBytes);
    const { bytes, at } = this.tail.reserve(frameBytes);
    const batchAt = at + FRAME_HEADER.sizeBytes;
    source.copy(bytes, batchAt, from, from + sizeBytes);
    placeBatch(bytes, batchAt, baseOffset);
    const place = { type: FRAME_TYPES.batch, partitionId, segmentNumber: this.number, position, appendTimeMs };
    writeFrameAround(bytes, at, sizeBytes, place);
    this.lastAppendMs = appendTimeMs;
    this.index.add(
      partitionId,
      baseOffset,
      batchLastOffsetDelta(bytes, batchAt),
      batchMaxTimestampMs(bytes, batchAt),
      position,
      sizeBytes,
      batchAttributes(bytes, batchAt),
    );
    return markBytes + frameBytes;
  }

  /** Appends a control or checkpoint frame. Returns the bytes of the frame, and of the mark before it. */
  appendText(type: FrameType, text: string, appendTimeMs: number): number {
    const markBytes = this.markIsDue ? this.appendMark(appendTimeMs) : 0;
    const position = this.tail.end;
    const payloadBytes = TEXT_CRC_BYTES + Buffer.byteLength(text);
    const frameBytes = frameSizeBytes(payloadBytes);
    const { bytes, at } = this.tail.reserve(frameBytes);
    bytes.write(text, at + FRAME_HEADER.sizeBytes + TEXT_CRC_BYTES, 'utf8');
    const place = { type, partitionId: 0, segmentNumber: this.number, position, appendTimeMs };
    writeTextFrameAround(bytes, at, payloadBytes, place);
    return markBytes + frameBytes;
  }

  /** Appends a frame that tells how far the segment is durable. Returns its bytes. */
  appendMark(appendTimeMs: number): number {
    const position = this.tail.end;
    const { bytes, at } = this.tail.reserve(MARK_BYTES);
    const partitionId = this.syncedTo / FRAME_ALIGNMENT;
    const place = { type: FRAME_TYPES.mark, partitionId, segmentNumber: this.number, position, appendTimeMs };
    writeFrameAround(bytes, at, 0, place);
    this.markedTo = markedTo(position, this.syncedTo);
    return MARK_BYTES;
  }
}

/** Up to where nothing is left to tell once the mark at `position` says `syncedTo`: a mark needs none for itself. */
export function markedTo(position: number, syncedTo: number): number {
  return syncedTo === position ? position + MARK_BYTES : syncedTo;
}

interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((...both) => {
    [resolve, reject] = both;
  });
  // Mostly nobody waits for it; whoever does still sees the rejection.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
