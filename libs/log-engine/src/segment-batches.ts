import { join } from 'node:path';
import type { DiskFile } from './disk.ts';
import { batchIn, type Extent, extentOf, frameEnd, spansOf } from './extents.ts';
import { frameAppendTimeMs } from './frame.ts';
import type { JournalFolder, SealedSegment } from './sealed-segment.ts';
import { SEGMENT_ENDING, segmentBaseName } from './segment.ts';

/** A batch as it lies in a segment. The bytes may be kept: nobody else writes to them. */
export interface StoredBatch {
  partitionId: number;
  bytes: Buffer;
  appendTimeMs: number;
}

/** Which batches of segments are read, and what happens on the way. */
export interface BatchReading {
  place: JournalFolder;
  /** The first offset of a partition that is wanted of that segment; undefined where all of it is left out. */
  wantedFrom(segment: SealedSegment, partitionId: number): number | undefined;
  /** A batch does not match its CRC any more; it is left out. */
  onDamaged(segment: SealedSegment, from: number, to: number): void;
  /** Throws when the work is to end. */
  checkGoingOn(): void;
}

/** Reads a sealed segment's batches in the order in which they lie there, a bounded stretch of the file at a time. */
export async function forEachBatch(
  reading: BatchReading,
  segment: SealedSegment,
  visit: (batch: StoredBatch) => Promise<void> | void,
): Promise<void> {
  const extents = await extentsIn(reading, segment);
  const file = await reading.place.disk.openForReading(
    join(reading.place.folder, segmentBaseName(segment) + SEGMENT_ENDING),
  );
  try {
    for (const span of spansOf(extents)) {
      reading.checkGoingOn();
      for (const batch of await readSpan(reading, segment, file, span)) await visit(batch);
    }
  } finally {
    await file.close();
  }
}

async function extentsIn(reading: BatchReading, segment: SealedSegment): Promise<Extent[]> {
  const extents: Extent[] = [];
  await segment.index.loadAll();
  for (const { partitionId } of segment.index.directory.rows()) {
    const from = reading.wantedFrom(segment, partitionId);
    if (from === undefined) continue;
    const list = await segment.index.batches(partitionId);
    for (let i = list.firstEndingAtOrAfter(from); i < list.count; i++)
      extents.push(extentOf(segment, partitionId, list, i));
  }
  return extents.sort((a, b) => a.position - b.position);
}

async function readSpan(
  reading: BatchReading,
  segment: SealedSegment,
  file: DiskFile,
  span: Extent[],
): Promise<StoredBatch[]> {
  const start = span[0]!.position;
  const bytes = Buffer.allocUnsafeSlow(frameEnd(span.at(-1)!) - start);
  const filled = bytes.subarray(0, await file.read(bytes, start));
  const batches: StoredBatch[] = [];
  for (const extent of span) {
    const frameAt = extent.position - start;
    const batch = batchIn(filled, frameAt, extent);
    if (batch === undefined) reading.onDamaged(segment, extent.position, frameEnd(extent));
    else {
      const appendTimeMs = frameAppendTimeMs(filled, frameAt);
      batches.push({ partitionId: extent.partitionId, bytes: batch, appendTimeMs });
    }
  }
  return batches;
}
