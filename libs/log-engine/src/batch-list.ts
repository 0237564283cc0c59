import { readInt64LE, writeInt64LE } from './int64.ts';
import { INDEX_ENTRY } from './layout.ts';

const { at: AT, sizeBytes: ENTRY_BYTES } = INDEX_ENTRY;

/**
 * Where the batches of one partition lie in one segment, in offset order: rows of 32 bytes, the same in memory and in
 * an index file, so that a sealed index is used as it was read.
 */
export class BatchList {
  #rows: Buffer;
  #count: number;

  /** @param rows entries that are there already; the list is a view over them until it grows. */
  constructor(rows: Buffer = Buffer.alloc(0)) {
    this.#rows = rows;
    this.#count = rows.length / ENTRY_BYTES;
  }

  get count(): number {
    return this.#count;
  }

  /** The rows as they stand in an index file. */
  get bytes(): Buffer {
    return this.#rows.subarray(0, this.#count * ENTRY_BYTES);
  }

  baseOffset(i: number): number {
    return readInt64LE(this.#rows, i * ENTRY_BYTES + AT.baseOffset);
  }

  lastOffset(i: number): number {
    return this.baseOffset(i) + this.#rows.readUInt32LE(i * ENTRY_BYTES + AT.lastOffsetDelta);
  }

  maxTimestampMs(i: number): number {
    return readInt64LE(this.#rows, i * ENTRY_BYTES + AT.maxTimestampMs);
  }

  /** Where the batch's frame begins in the segment. */
  position(i: number): number {
    return this.#rows.readUInt32LE(i * ENTRY_BYTES + AT.position);
  }

  batchBytes(i: number): number {
    return this.#rows.readUInt32LE(i * ENTRY_BYTES + AT.batchBytes);
  }

  attributes(i: number): number {
    return this.#rows.readUInt16LE(i * ENTRY_BYTES + AT.attributes);
  }

  add(
    baseOffset: number,
    lastOffsetDelta: number,
    maxTimestampMs: number,
    position: number,
    batchBytes: number,
    attributes: number,
  ): void {
    const at = this.#count * ENTRY_BYTES;
    if (at === this.#rows.length) this.#grow();
    const rows = this.#rows;
    writeInt64LE(rows, at + AT.baseOffset, baseOffset);
    writeInt64LE(rows, at + AT.maxTimestampMs, maxTimestampMs);
    rows.writeUInt32LE(position, at + AT.position);
    rows.writeUInt32LE(batchBytes, at + AT.batchBytes);
    rows.writeUInt32LE(lastOffsetDelta, at + AT.lastOffsetDelta);
    rows.writeUInt16LE(attributes, at + AT.attributes);
    this.#count++;
  }

  /** Number of the first batch that ends at or after `offset`; `count` when there is none. */
  firstEndingAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lastOffset(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const larger = Buffer.alloc(Math.max(4 * ENTRY_BYTES, this.#rows.length * 2));
    this.#rows.copy(larger);
    this.#rows = larger;
  }
}
