import { crc32c } from '@node-rs/crc32';
import { BATCH_HEADER_BYTES, BATCH_LENGTH_OVERHEAD, BATCH_MAGIC, CRC_AT, CRC_FROM } from './record-batch.ts';
import { varintSize, writeVarint, writeVarlong } from './varint.ts';

export interface FinishOptions {
  baseOffset?: bigint;
  producerId?: bigint;
  producerEpoch?: number;
  baseSequence?: number;
  isTransactional?: boolean;
  isControl?: boolean;
  /** Where offsets behind the last record have no record any more. */
  lastOffsetDelta?: number;
}

export type HeaderFields = Readonly<Record<string, string | Uint8Array>>;

/** Where builders get their buffers from. */
export interface BatchMemory {
  /** A buffer of so many bytes at least, of any content. */
  take(sizeBytes: number): Buffer;
}

/**
 * Encodes records straight into one growing buffer, uncompressed. Batches that are closed lie back to back in it until
 * they are taken; the builder goes on with the next one.
 */
export class RecordBatchBuilder {
  readonly #memory: BatchMemory;
  #buffer: Buffer | undefined;
  #capacity: number;
  /** Where the open batch begins: behind those that are closed. */
  #start = 0;
  #at = BATCH_HEADER_BYTES;
  #recordCount = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;

  /** @param expectedBytes size of the first buffer; later ones are as large as the last one grew. */
  constructor(expectedBytes = 16 * 1024, memory: BatchMemory = NEW_MEMORY) {
    this.#capacity = Math.max(expectedBytes, 256);
    this.#memory = memory;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes of the open batch so far, header included. */
  get sizeBytes(): number {
    return this.#at - this.#start;
  }

  /** Bytes of the batches that are closed and not taken yet. */
  get closedBytes(): number {
    return this.#start;
  }

  /**
   * Adds a record; text is written as UTF-8.
   * @param offsetDelta from the batch's base offset; default: the one behind the record before
   */
  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers?: HeaderFields,
    offsetDelta = this.#recordCount,
  ): void {
    if (this.#recordCount === 0) {
      this.#baseTimestampMs = timestampMs;
      this.#maxTimestampMs = timestampMs;
    } else if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs;
    }
    const buffer = this.#roomFor(key, value, headers);
    // A record's length comes first and is known last: room is left for the usual one.
    const start = this.#at + USUAL_LENGTH_BYTES;
    buffer[start] = 0;
    let end = writeVarlong(buffer, start + 1, timestampMs - this.#baseTimestampMs);
    end = writeVarint(buffer, end, offsetDelta);
    end = writeNullable(buffer, end, key);
    end = writeNullable(buffer, end, value);
    if (headers === undefined) buffer[end++] = 0;
    else end = writeHeaders(buffer, end, headers);

    const length = end - start;
    const fittingStart = this.#at + varintSize(length);
    if (fittingStart !== start) buffer.copyWithin(fittingStart, start, end);
    writeVarint(buffer, this.#at, length);
    this.#at = fittingStart + length;
    this.#recordCount++;
  }

  /** The whole batch with its CRC, behind those that were closed and not taken. The builder starts anew. */
  finish(options: FinishOptions = {}): Buffer {
    this.close(options);
    return this.take();
  }

  /** Completes the batch with its CRC. It waits here to be taken, and the next one is written behind it. */
  close(options: FinishOptions = {}): void {
    const buffer = this.#reserve(0);
    const start = this.#start;
    const lastOffsetDelta = options.lastOffsetDelta ?? Math.max(this.#recordCount - 1, 0);
    writeBigInt64(buffer, start, options.baseOffset ?? 0n);
    writeInt32(buffer, start + 8, this.sizeBytes - BATCH_LENGTH_OVERHEAD);
    writeInt32(buffer, start + 12, NO_LEADER_EPOCH);
    buffer[start + 16] = BATCH_MAGIC;
    writeInt16(buffer, start + 21, (options.isTransactional ? 0x10 : 0) | (options.isControl ? 0x20 : 0));
    writeInt32(buffer, start + 23, lastOffsetDelta);
    writeInt64(buffer, start + 27, this.#baseTimestampMs);
    writeInt64(buffer, start + 35, this.#maxTimestampMs);
    writeBigInt64(buffer, start + 43, options.producerId ?? -1n);
    writeInt16(buffer, start + 51, options.producerEpoch ?? -1);
    writeInt32(buffer, start + 53, options.baseSequence ?? -1);
    writeInt32(buffer, start + 57, this.#recordCount);
    writeInt32(buffer, start + CRC_AT, crc32c(buffer.subarray(start + CRC_FROM, this.#at)));
    this.#start = this.#at;
    this.#at += BATCH_HEADER_BYTES;
    this.#recordCount = 0;
  }

  /** All batches that are closed, back to back. What there is of the open one moves on to another buffer. */
  take(): Buffer {
    const buffer = this.#reserve(0);
    const [start, end] = [this.#start, this.#at];
    this.#buffer = undefined;
    this.#start = 0;
    this.#at = end - start;
    if (this.#recordCount > 0) buffer.copy(this.#reserve(0), 0, start, end);
    return buffer.subarray(0, start);
  }

  /** Text may take three bytes a character; its bytes are counted only where there is no room for so many. */
  #roomFor(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: HeaderFields | undefined,
  ): Buffer {
    const buffer = this.#buffer;
    if (buffer !== undefined) {
      const most = MAX_NUMBER_BYTES + mostBytes(key) + mostBytes(value) + mostHeaderBytes(headers);
      if (this.#at + most <= buffer.length) return buffer;
    }
    return this.#reserve(MAX_NUMBER_BYTES + exactBytes(key) + exactBytes(value) + mostHeaderBytes(headers));
  }

  #reserve(moreBytes: number): Buffer {
    const needed = this.#at + moreBytes;
    const buffer = this.#buffer;
    if (buffer !== undefined && needed <= buffer.length) return buffer;
    // Not twofold: a producer's batches end just above a power of two, and would leave half of each buffer unused.
    while (this.#capacity < needed) this.#capacity = Math.ceil(this.#capacity * 1.25);
    const grown = this.#memory.take(this.#capacity);
    if (buffer !== undefined) buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
    return grown;
  }
}

const NO_LEADER_EPOCH = -1;
const HIGH = 2 ** 32;
/** The most that is cut out of Node's shared pool, which costs a fraction of memory of one's own. */
const MAX_POOLED_BYTES = 1024;

/** Not pooled unless it is small: a batch that lives on pins hardly more bytes than its own. */
const NEW_MEMORY: BatchMemory = {
  take: (sizeBytes) =>
    sizeBytes <= MAX_POOLED_BYTES ? Buffer.allocUnsafe(sizeBytes) : Buffer.allocUnsafeSlow(sizeBytes),
};

/** As Buffer's methods of these names, big-endian, without their checks: most of a small batch's cost would be these. */
function writeInt16(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 8;
  buffer[at + 1] = value;
}

function writeInt32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

/** @throws RangeError unless the value is a safe integer: a fraction of a millisecond has no place in a batch */
function writeInt64(buffer: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
  writeInt32(buffer, at, Math.floor(value / HIGH));
  writeInt32(buffer, at + 4, value);
}

function writeBigInt64(buffer: Buffer, at: number, value: bigint): void {
  if (value === -1n) writeInt64(buffer, at, -1);
  else buffer.writeBigInt64BE(value, at);
}

/** Up to these lengths a loop beats the call into native code. */
const SHORT_BYTES = 10;
const SHORT_TEXT = 24;
const MAX_VARINT_BYTES = 5;
/** Of all numbers of a record but those of its headers. */
const MAX_NUMBER_BYTES = 40;
/** A varint's bytes for any length from 64 to 8,191: of nearly every record. */
const USUAL_LENGTH_BYTES = 2;

/** An upper bound, cheaper than the exact size. */
function mostBytes(data: Uint8Array | string | null): number {
  if (data === null) return 0;
  return typeof data === 'string' ? 3 * data.length : data.length;
}

function exactBytes(data: Uint8Array | string | null): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : mostBytes(data);
}

function mostHeaderBytes(headers: HeaderFields | undefined): number {
  let most = MAX_VARINT_BYTES;
  for (const key in headers) most += 2 * MAX_VARINT_BYTES + mostBytes(key) + mostBytes(headers[key]!);
  return most;
}

function writeHeaders(buffer: Buffer, at: number, headers: HeaderFields): number {
  let count = 0;
  for (const _key in headers) count++;
  let end = writeVarint(buffer, at, count);
  for (const key in headers) {
    end = writeText(buffer, end, key);
    end = writeNullable(buffer, end, headers[key]!);
  }
  return end;
}

/** Writes length and bytes, as the functions below do. */
function writeNullable(buffer: Buffer, at: number, data: Uint8Array | string | null): number {
  if (data === null) return writeVarint(buffer, at, -1);
  return typeof data === 'string' ? writeText(buffer, at, data) : writeBytes(buffer, at, data);
}

function writeBytes(buffer: Buffer, at: number, data: Uint8Array): number {
  const { length } = data;
  const start = writeVarint(buffer, at, length);
  if (length > SHORT_BYTES) buffer.set(data, start);
  else for (let i = 0; i < length; i++) buffer[start + i] = data[i]!;
  return start + length;
}

function writeText(buffer: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > SHORT_TEXT) return writeLongText(buffer, at, text);
  const start = writeVarint(buffer, at, length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return writeLongText(buffer, at, text);
    buffer[start + i] = code;
  }
  return start + length;
}

function writeLongText(buffer: Buffer, at: number, text: string): number {
  const bytes = Buffer.byteLength(text);
  const start = writeVarint(buffer, at, bytes);
  // As many bytes as characters: all are ASCII, which Latin-1 copies as they are.
  return start + buffer.write(text, start, bytes, bytes === text.length ? 'latin1' : 'utf8');
}
