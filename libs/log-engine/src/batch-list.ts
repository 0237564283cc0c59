import { readInt64LE, writeInt64LE } from './int64.ts';
import { INDEX_ENTRY } from './layout.ts';

const { at: AT, sizeBytes: ENTRY_BYTES } = INDEX_ENTRY;
const FIRST_ROWS = 4;

/**
 * Where the batches of one partition lie in one segment, in offset order: rows of 32 bytes, the same in memory and in
 * an index file, so that a sealed index is used as it was read.
 */
export class BatchList {
  protected rows: Buffer;
  protected rowCount: number;

  /** @param rows entries that are there already; the list is a view over them */
  constructor(rows: Buffer = Buffer.alloc(0)) {
    this.rows = rows;
    this.rowCount = rows.length / ENTRY_BYTES;
  }

  get count(): number {
    return this.rowCount;
  }

  /** The rows as they stand in an index file. */
  get bytes(): Buffer {
    return this.rows.subarray(0, this.rowCount * ENTRY_BYTES);
  }

  baseOffset(i: number): number {
    return readInt64LE(this.rows, i * ENTRY_BYTES + AT.baseOffset);
  }

  lastOffset(i: number): number {
    return this.baseOffset(i) + this.rows.readUInt32LE(i * ENTRY_BYTES + AT.lastOffsetDelta);
  }

  maxTimestampMs(i: number): number {
    return readInt64LE(this.rows, i * ENTRY_BYTES + AT.maxTimestampMs);
  }

  /** Where the batch's frame begins in the segment. */
  position(i: number): number {
    return this.rows.readUInt32LE(i * ENTRY_BYTES + AT.position);
  }

  batchBytes(i: number): number {
    return this.rows.readUInt32LE(i * ENTRY_BYTES + AT.batchBytes);
  }

  attributes(i: number): number {
    return this.rows.readUInt16LE(i * ENTRY_BYTES + AT.attributes);
  }

  /** Number of the first batch that ends at or after `offset`; `count` when there is none. */
  firstEndingAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.rowCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lastOffset(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The list of a segment that is appended to, or scanned; it keeps count of what its batches come to. */
export class GrowingList extends BatchList {
  latestTimestampMs = Number.MIN_SAFE_INTEGER;
  totalBatchBytes = 0;

  add(
    baseOffset: number,
    lastOffsetDelta: number,
    maxTimestampMs: number,
    position: number,
    batchBytes: number,
    attributes: number,
  ): void {
    const at = this.rowCount * ENTRY_BYTES;
    if (at === this.rows.length) this.#grow();
    const { rows } = this;
    writeInt64LE(rows, at + AT.baseOffset, baseOffset);
    writeInt64LE(rows, at + AT.maxTimestampMs, maxTimestampMs);
    rows.writeUInt32LE(position, at + AT.position);
    rows.writeUInt32LE(batchBytes, at + AT.batchBytes);
    rows.writeUInt32LE(lastOffsetDelta, at + AT.lastOffsetDelta);
    rows.writeUInt16LE(attributes, at + AT.attributes);
    rows.writeUInt16LE(0, at + AT.reserved);
    this.rowCount++;
    this.totalBatchBytes += batchBytes;
    if (maxTimestampMs > this.latestTimestampMs) this.latestTimestampMs = maxTimestampMs;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafe(Math.max(FIRST_ROWS * ENTRY_BYTES, this.rows.length * 2));
    this.rows.copy(larger);
    this.rows = larger;
  }
}
