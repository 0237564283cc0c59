/** Where batches lie, and how they are read: those that lie close together at once, each with its frame checked. */
import { batchBaseOffset, batchFault } from './batch-header.ts';
import type { BatchList } from './batch-list.ts';
import { frameHeaderIsValid, framePartitionId, framePayloadBytes, frameSizeBytes } from './frame.ts';
import { FRAME_HEADER } from './layout.ts';
import type { Segment } from './segment.ts';

/** Batches of one segment that lie no farther apart than this are read together. */
const MAX_GAP_BYTES = 32 * 1024;
/** A longer span is read in parts: while one is checked, the next ones come. */
const MAX_SPAN_BYTES = 512 * 1024;

/** Where one batch lies. */
export interface Extent {
  segment: Segment;
  partitionId: number;
  /** Of the frame, in the segment. */
  position: number;
  batchBytes: number;
  baseOffset: number;
  lastOffset: number;
}

export function extentOf(segment: Segment, partitionId: number, list: BatchList, i: number): Extent {
  return {
    segment,
    partitionId,
    position: list.position(i),
    batchBytes: list.batchBytes(i),
    baseOffset: list.baseOffset(i),
    lastOffset: list.lastOffset(i),
  };
}

export function frameEnd(extent: Extent): number {
  return extent.position + frameSizeBytes(extent.batchBytes);
}

/** From the first frame of a span to the end of its last. */
export function spanBytes(span: readonly Extent[]): number {
  return frameEnd(span.at(-1)!) - span[0]!.position;
}

/** The batch whose frame lies at `frameAt`; undefined unless it is whole, and the one that the index promised. */
export function batchIn(bytes: Buffer, frameAt: number, extent: Extent): Buffer | undefined {
  if (frameAt + frameSizeBytes(extent.batchBytes) > bytes.length || !frameIsOf(extent, bytes, frameAt))
    return undefined;
  const at = frameAt + FRAME_HEADER.sizeBytes;
  return bytes.subarray(at, at + extent.batchBytes);
}

/** True when the frame that the index promised lies there, whole. */
function frameIsOf(extent: Extent, bytes: Buffer, at: number): boolean {
  const batchAt = at + FRAME_HEADER.sizeBytes;
  return (
    frameHeaderIsValid(bytes, at, extent.segment.number, extent.position) &&
    framePartitionId(bytes, at) === extent.partitionId &&
    framePayloadBytes(bytes, at) === extent.batchBytes &&
    batchBaseOffset(bytes, batchAt) === extent.baseOffset &&
    batchFault(bytes, batchAt, extent.batchBytes) === undefined
  );
}

/** Groups extents that lie close together in one segment. */
export function spansOf(extents: Extent[]): Extent[][] {
  const spans: Extent[][] = [];
  let span: Extent[] = [];
  for (const extent of extents) {
    const first = span[0];
    const fits =
      first !== undefined &&
      first.segment === extent.segment &&
      extent.position - frameEnd(span.at(-1)!) <= MAX_GAP_BYTES &&
      frameEnd(extent) - first.position <= MAX_SPAN_BYTES;
    if (fits) {
      span.push(extent);
    } else {
      span = [extent];
      spans.push(span);
    }
  }
  return spans;
}
