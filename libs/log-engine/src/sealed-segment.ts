import { join } from 'node:path';
import { batchAttributes, batchBaseOffset, batchLastOffsetDelta, batchMaxTimestampMs } from './batch-header.ts';
import { createDurably, type Disk, type DiskFile, hasCode } from './disk.ts';
import { EngineError } from './errors.ts';
import { Directory, encodeIndex, entriesPlace, type IndexedSegment, readIndexHeader } from './index-file.ts';
import { INDEX_HEADER } from './layout.ts';
import { INDEX_ENDING, SEGMENT_ENDING, type Segment, segmentBaseName } from './segment.ts';
import { GrowingIndex, type IndexCache, readChecked, SealedIndex } from './segment-index.ts';
import { type ScanResult, scanSegment } from './segment-scan.ts';
import type { SegmentTail } from './tail-cache.ts';

/** A journal's folder, on its disk, with what keeps its indexes' entries. */
export interface JournalFolder {
  disk: Disk;
  folder: string;
  indexCache: IndexCache;
}

/** What is known of a sealed segment besides its file and index. */
export interface SealedDetails {
  /** When the last of it was appended, in UTC milliseconds; never earlier than it was. */
  appendedUntilMs: number;
  /** Of a side segment: the number of the oldest segment whose remains it carries. Default: its own number. */
  carriesFrom?: number | undefined;
  /** What of it lies in memory. */
  tail?: SegmentTail;
}

/** A segment whose file does not change any more and that has its index beside it. */
export class SealedSegment implements Segment {
  readonly number: number;
  readonly generation: number;
  readonly sizeBytes: number;
  readonly indexBytes: number;
  readonly index: SealedIndex;
  readonly tail: SegmentTail | undefined;
  readonly appendedUntilMs: number;
  readonly carriesFrom: number;

  constructor(segment: IndexedSegment, indexBytes: number, index: SealedIndex, details: SealedDetails) {
    this.number = segment.segmentNumber;
    this.generation = segment.generation;
    this.sizeBytes = segment.segmentBytes;
    this.indexBytes = indexBytes;
    this.index = index;
    this.tail = details.tail;
    this.appendedUntilMs = details.appendedUntilMs;
    this.carriesFrom = details.carriesFrom ?? segment.segmentNumber;
  }
}

/** Opens a segment through the index that lies beside it; undefined unless that is whole and this segment's own. */
export async function openSealed(
  place: JournalFolder,
  segment: IndexedSegment,
  details: SealedDetails,
): Promise<SealedSegment | undefined> {
  const parts = await readIndex(place, segment, 'directory');
  if (parts === undefined) return undefined;
  const index = new SealedIndex(parts.directory, place.indexCache, {
    readPart: (directory, i) => readPart(place, segment, directory, i),
    readAll: () => readOrRebuild(place, segment),
  });
  return new SealedSegment(segment, parts.sizeBytes, index, details);
}

/** Puts the index of a segment in place. */
export async function writeIndex(place: JournalFolder, segment: IndexedSegment, index: GrowingIndex): Promise<void> {
  const { header, directory, entries } = encodeIndex(segment, index.lists);
  const name = baseNameOf(segment) + INDEX_ENDING;
  const file = await createDurably(place.disk, place.folder, name, [header, directory, entries]);
  await file.close();
}

/** Writes the index of a segment anew from the segment's frames; tells which ranges hold none. */
export async function rebuildIndex(place: JournalFolder, segment: IndexedSegment): Promise<ScanResult['damaged']> {
  const { index, damaged } = await indexFromFrames(place, segment);
  await writeIndex(place, segment, index);
  return damaged;
}

/** Opens a segment of a folder that nothing may be written to: an index that is not to be trusted is made in memory. */
export async function openUnchanged(place: JournalFolder, segment: IndexedSegment): Promise<SealedSegment> {
  const start = (await readIndex(place, segment, 'directory')) ?? (await indexInMemory(place, segment));
  const index = new SealedIndex(start.directory, place.indexCache, {
    readPart: (directory, i) => readPart(place, segment, directory, i),
    readAll: async () => (await readIndex(place, segment, 'all')) ?? (await indexInMemory(place, segment)),
  });
  // How old it is does not matter: nothing of it ever goes.
  return new SealedSegment(segment, start.sizeBytes, index, { appendedUntilMs: 0 });
}

/** @throws EngineError `snapshot-damaged`: what never changes has no ranges to pass over */
async function indexInMemory(place: JournalFolder, segment: IndexedSegment): Promise<IndexParts> {
  const { index, damaged } = await indexFromFrames(place, segment);
  const first = damaged[0];
  if (first !== undefined) {
    const path = join(place.folder, baseNameOf(segment) + SEGMENT_ENDING);
    throw new EngineError('snapshot-damaged', `${path}, bytes ${first.from} to ${first.to}: no whole frame`);
  }
  const { directory, entries } = encodeIndex(segment, index.lists);
  return { sizeBytes: 0, directory: new Directory(directory), entries };
}

async function indexFromFrames(
  place: JournalFolder,
  segment: IndexedSegment,
): Promise<{ index: GrowingIndex; damaged: ScanResult['damaged'] }> {
  const { segmentNumber, segmentBytes } = segment;
  const index = new GrowingIndex();
  const file = await place.disk.openForReading(join(place.folder, baseNameOf(segment) + SEGMENT_ENDING));
  try {
    const { damaged } = await scanSegment(file, { segmentNumber, sizeBytes: segmentBytes }, 'skip', {
      batch: (partitionId, position, bytes, at, sizeBytes) =>
        addToIndex(index, partitionId, position, bytes, at, sizeBytes),
      control: () => undefined,
      opening: () => undefined,
    });
    return { index, damaged };
  } finally {
    await file.close();
  }
}

/** Adds a batch that a scan found; false when its offsets do not follow on those before it. */
export function addToIndex(
  index: GrowingIndex,
  partitionId: number,
  position: number,
  bytes: Buffer,
  at: number,
  sizeBytes: number,
): boolean {
  const baseOffset = batchBaseOffset(bytes, at);
  const list = index.lists.get(partitionId);
  if (list !== undefined && baseOffset <= list.lastOffset(list.count - 1)) return false;
  index.add(
    partitionId,
    baseOffset,
    batchLastOffsetDelta(bytes, at),
    batchMaxTimestampMs(bytes, at),
    position,
    sizeBytes,
    batchAttributes(bytes, at),
  );
  return true;
}

async function readOrRebuild(place: JournalFolder, segment: IndexedSegment): Promise<IndexParts> {
  let parts = await readIndex(place, segment, 'all');
  if (parts === undefined) {
    await rebuildIndex(place, segment);
    parts = await readIndex(place, segment, 'all');
  }
  if (parts !== undefined) return parts;
  const path = join(place.folder, baseNameOf(segment) + INDEX_ENDING);
  throw new EngineError('journal-damaged', `${path} is damaged again after it was rebuilt`);
}

/** Reads the entries of one partition; undefined unless they match the CRC that its row has. */
async function readPart(
  place: JournalFolder,
  segment: IndexedSegment,
  directory: Directory,
  i: number,
): Promise<Buffer | undefined> {
  const crc = directory.entriesCrc(i);
  if (crc === 0) return undefined;
  const file = await openIfThere(place.disk, join(place.folder, baseNameOf(segment) + INDEX_ENDING));
  if (file === undefined) return undefined;
  try {
    const { position, sizeBytes } = entriesPlace(directory, directory.row(i));
    return await readChecked(file, position, sizeBytes, crc);
  } finally {
    await file.close();
  }
}

function baseNameOf({ segmentNumber, generation }: IndexedSegment): string {
  return segmentBaseName({ number: segmentNumber, generation });
}

interface IndexParts {
  sizeBytes: number;
  directory: Directory;
  /** Empty unless all was asked for. */
  entries: Buffer;
}

/** Reads a segment's index file; undefined unless what is read of it is whole and belongs to that segment. */
async function readIndex(
  place: JournalFolder,
  segment: IndexedSegment,
  what: 'directory' | 'all',
): Promise<IndexParts | undefined> {
  const file = await openIfThere(place.disk, join(place.folder, baseNameOf(segment) + INDEX_ENDING));
  if (file === undefined) return undefined;
  try {
    const start = Buffer.alloc(INDEX_HEADER.sizeBytes);
    await file.read(start, 0);
    const header = readIndexHeader(start, segment);
    if (header === undefined) return undefined;
    const entriesAt = start.length + header.directoryBytes;
    const sizeBytes = entriesAt + header.entriesBytes;
    if ((await file.sizeBytes()) !== sizeBytes) return undefined;
    const directory = await readChecked(file, start.length, header.directoryBytes, header.directoryCrc);
    const entries =
      what === 'all' ? await readChecked(file, entriesAt, header.entriesBytes, header.entriesCrc) : Buffer.alloc(0);
    if (directory === undefined || entries === undefined) return undefined;
    return { sizeBytes, directory: new Directory(directory), entries };
  } finally {
    await file.close();
  }
}

async function openIfThere(disk: Disk, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.openForReading(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
