/**
 * The index of a segment: a directory with one row a partition, sorted, and the batches' entries, sorted by partition
 * and offset. A file holds header, directory, entries. On open only header and directory are read.
 */
import { crc32c } from '@node-rs/crc32';
import type { GrowingList } from './batch-list.ts';
import { readInt64LE, writeInt64LE } from './int64.ts';
import { DIRECTORY_ROW, INDEX_ENTRY, INDEX_FORMAT_VERSION, INDEX_HEADER, INDEX_MAGIC } from './layout.ts';

const { at: HEAD, sizeBytes: HEADER_BYTES } = INDEX_HEADER;
const { at: ROW, sizeBytes: ROW_BYTES } = DIRECTORY_ROW;
const { sizeBytes: ENTRY_BYTES } = INDEX_ENTRY;

/** The segment that an index belongs to; an index is trusted only when all of it matches. */
export interface IndexedSegment {
  volumeId: Buffer;
  segmentNumber: number;
  /** 0 of a plain segment. The header's CRC covers it, so the index does not name it. */
  generation: number;
  segmentBytes: number;
  segmentHeaderCrc: number;
}

/** What a segment holds of one partition. */
export interface PartitionSummary {
  partitionId: number;
  firstEntry: number;
  entryCount: number;
  firstOffset: number;
  lastOffset: number;
  maxTimestampMs: number;
  /** Bytes of the batches, without their frames. */
  batchBytes: number;
}

/** The rows of an index's directory, in the order of partition ids. */
export class Directory {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get count(): number {
    return this.bytes.length / ROW_BYTES;
  }

  partitionId(i: number): number {
    return this.bytes.readUInt32LE(i * ROW_BYTES + ROW.partitionId);
  }

  firstOffset(i: number): number {
    return readInt64LE(this.bytes, i * ROW_BYTES + ROW.firstOffset);
  }

  batchBytes(i: number): number {
    return readInt64LE(this.bytes, i * ROW_BYTES + ROW.batchBytes);
  }

  /** Of a partition's entries; 0 where the index does not tell. */
  entriesCrc(i: number): number {
    return this.bytes.readUInt32LE(i * ROW_BYTES + ROW.entriesCrc);
  }

  row(i: number): PartitionSummary {
    const { bytes } = this;
    const at = i * ROW_BYTES;
    return {
      partitionId: bytes.readUInt32LE(at + ROW.partitionId),
      firstEntry: bytes.readUInt32LE(at + ROW.firstEntry),
      entryCount: bytes.readUInt32LE(at + ROW.entryCount),
      firstOffset: readInt64LE(bytes, at + ROW.firstOffset),
      lastOffset: readInt64LE(bytes, at + ROW.lastOffset),
      maxTimestampMs: readInt64LE(bytes, at + ROW.maxTimestampMs),
      batchBytes: readInt64LE(bytes, at + ROW.batchBytes),
    };
  }

  *rows(): Generator<PartitionSummary, void, undefined> {
    for (let i = 0; i < this.count; i++) yield this.row(i);
  }

  find(partitionId: number): PartitionSummary | undefined {
    const i = this.indexOf(partitionId);
    return i < 0 ? undefined : this.row(i);
  }

  /** Number of the partition's row; -1 where it has none. */
  indexOf(partitionId: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.partitionId(middle) < partitionId) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.partitionId(low) === partitionId ? low : -1;
  }
}

export interface EncodedIndex {
  header: Buffer;
  directory: Buffer;
  entries: Buffer;
}

/**
 * Encodes the index of a segment from the lists of its partitions.
 * @param tellsEntryCrcs false: as it was written before its rows had a CRC each
 */
export function encodeIndex(
  segment: IndexedSegment,
  lists: ReadonlyMap<number, GrowingList>,
  tellsEntryCrcs = true,
): EncodedIndex {
  const partitionIds = [...lists.keys()].sort((a, b) => a - b);
  const directory = Buffer.alloc(partitionIds.length * ROW_BYTES);
  const entries = Buffer.concat(partitionIds.map((partitionId) => lists.get(partitionId)!.bytes));
  let firstEntry = 0;
  partitionIds.forEach((partitionId, i) => {
    const row = summarize(partitionId, lists.get(partitionId)!, firstEntry);
    writeRow(directory, i * ROW_BYTES, row, tellsEntryCrcs ? crc32c(entriesOf(entries, row)) : 0);
    firstEntry += row.entryCount;
  });
  return { header: encodeHeader(segment, directory, entries), directory, entries };
}

/** What a list holds, as a directory row tells it. The list is not empty. */
export function summarize(partitionId: number, list: GrowingList, firstEntry = 0): PartitionSummary {
  return {
    partitionId,
    firstEntry,
    entryCount: list.count,
    firstOffset: list.baseOffset(0),
    lastOffset: list.lastOffset(list.count - 1),
    maxTimestampMs: list.latestTimestampMs,
    batchBytes: list.totalBatchBytes,
  };
}

/** Sizes of the parts behind an index header. */
export interface IndexHeader {
  directoryBytes: number;
  entriesBytes: number;
  directoryCrc: number;
  entriesCrc: number;
}

/** Reads an index's header; undefined unless it is whole, of this format, and belongs to just that segment. */
export function readIndexHeader(bytes: Buffer, segment: IndexedSegment): IndexHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  if (bytes.toString('latin1', HEAD.magic, HEAD.magic + INDEX_MAGIC.length) !== INDEX_MAGIC) return undefined;
  if (crc32c(bytes.subarray(0, HEAD.crc)) !== bytes.readUInt32LE(HEAD.crc)) return undefined;
  const belongs =
    bytes.readUInt32LE(HEAD.formatVersion) === INDEX_FORMAT_VERSION &&
    bytes.readUInt32LE(HEAD.segmentNumber) === segment.segmentNumber &&
    segment.volumeId.equals(bytes.subarray(HEAD.volumeId, HEAD.volumeId + 16)) &&
    readInt64LE(bytes, HEAD.segmentBytes) === segment.segmentBytes &&
    bytes.readUInt32LE(HEAD.segmentHeaderCrc) === segment.segmentHeaderCrc;
  if (!belongs) return undefined;
  return {
    directoryBytes: bytes.readUInt32LE(HEAD.partitionCount) * ROW_BYTES,
    entriesBytes: bytes.readUInt32LE(HEAD.batchCount) * ENTRY_BYTES,
    directoryCrc: bytes.readUInt32LE(HEAD.directoryCrc),
    entriesCrc: bytes.readUInt32LE(HEAD.entriesCrc),
  };
}

/** The entries of one partition, cut out of all entries of its segment. */
export function entriesOf(entries: Buffer, { firstEntry, entryCount }: PartitionSummary): Buffer {
  return entries.subarray(firstEntry * ENTRY_BYTES, (firstEntry + entryCount) * ENTRY_BYTES);
}

/** Where the entries of one partition lie in the index's file. */
export function entriesPlace(
  directory: Directory,
  { firstEntry, entryCount }: PartitionSummary,
): {
  position: number;
  sizeBytes: number;
} {
  const position = HEADER_BYTES + directory.bytes.length + firstEntry * ENTRY_BYTES;
  return { position, sizeBytes: entryCount * ENTRY_BYTES };
}

function writeRow(bytes: Buffer, at: number, row: PartitionSummary, entriesCrc: number): void {
  bytes.writeUInt32LE(row.partitionId, at + ROW.partitionId);
  bytes.writeUInt32LE(row.firstEntry, at + ROW.firstEntry);
  bytes.writeUInt32LE(row.entryCount, at + ROW.entryCount);
  bytes.writeUInt32LE(entriesCrc, at + ROW.entriesCrc);
  writeInt64LE(bytes, at + ROW.firstOffset, row.firstOffset);
  writeInt64LE(bytes, at + ROW.lastOffset, row.lastOffset);
  writeInt64LE(bytes, at + ROW.maxTimestampMs, row.maxTimestampMs);
  writeInt64LE(bytes, at + ROW.batchBytes, row.batchBytes);
}

function encodeHeader(segment: IndexedSegment, directory: Buffer, entries: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(INDEX_MAGIC, HEAD.magic, 'latin1');
  bytes.writeUInt32LE(INDEX_FORMAT_VERSION, HEAD.formatVersion);
  bytes.writeUInt32LE(segment.segmentNumber, HEAD.segmentNumber);
  segment.volumeId.copy(bytes, HEAD.volumeId);
  writeInt64LE(bytes, HEAD.segmentBytes, segment.segmentBytes);
  bytes.writeUInt32LE(directory.length / ROW_BYTES, HEAD.partitionCount);
  bytes.writeUInt32LE(entries.length / ENTRY_BYTES, HEAD.batchCount);
  bytes.writeUInt32LE(crc32c(directory), HEAD.directoryCrc);
  bytes.writeUInt32LE(crc32c(entries), HEAD.entriesCrc);
  bytes.writeUInt32LE(segment.segmentHeaderCrc, HEAD.segmentHeaderCrc);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, HEAD.crc)), HEAD.crc);
  return bytes;
}
