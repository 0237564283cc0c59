import { crc32c } from '@node-rs/crc32';
import { BATCH_HEADER_BYTES, BATCH_LENGTH_OVERHEAD, BATCH_MAGIC, CRC_AT, CRC_FROM } from './record-batch.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

export interface FinishOptions {
  baseOffset?: bigint;
  producerId?: bigint;
  producerEpoch?: number;
  baseSequence?: number;
  isTransactional?: boolean;
  isControl?: boolean;
}

export type HeaderFields = Readonly<Record<string, string | Uint8Array>>;

/**
 * Encodes records straight into one growing buffer, uncompressed. `finish` hands that buffer out and leaves the builder
 * empty, ready for the next batch.
 */
export class RecordBatchBuilder {
  #buffer: Buffer | undefined;
  #capacity: number;
  #at = BATCH_HEADER_BYTES;
  #recordCount = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;

  /** @param expectedBytes size of the first buffer; later ones are as large as the last batch asked for. */
  constructor(expectedBytes = 16 * 1024) {
    this.#capacity = Math.max(expectedBytes, 256);
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes of the batch so far, header included. */
  get sizeBytes(): number {
    return this.#at;
  }

  /** Adds a record; text is written as UTF-8. */
  append(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestampMs: number,
    headers?: HeaderFields,
  ): void {
    if (this.#recordCount === 0) {
      this.#baseTimestampMs = timestampMs;
      this.#maxTimestampMs = timestampMs;
    } else if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs;
    }
    const timestampDelta = timestampMs - this.#baseTimestampMs;
    const offsetDelta = this.#recordCount;
    const keyBytes = key === null ? 0 : byteLengthOf(key);
    const valueBytes = value === null ? 0 : byteLengthOf(value);
    const length =
      1 +
      varlongSize(timestampDelta) +
      varintSize(offsetDelta) +
      varintSize(key === null ? -1 : keyBytes) +
      keyBytes +
      varintSize(value === null ? -1 : valueBytes) +
      valueBytes +
      (headers === undefined ? 1 : headersSize(headers));

    const buffer = this.#reserve(length + 5);
    let at = writeVarint(buffer, this.#at, length);
    buffer[at++] = 0;
    at = writeVarlong(buffer, at, timestampDelta);
    at = writeVarint(buffer, at, offsetDelta);
    at = writeVarint(buffer, at, key === null ? -1 : keyBytes);
    if (key !== null) at = writeBytes(buffer, at, key, keyBytes);
    at = writeVarint(buffer, at, value === null ? -1 : valueBytes);
    if (value !== null) at = writeBytes(buffer, at, value, valueBytes);
    if (headers === undefined) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, headers);
    this.#at = at;
    this.#recordCount++;
  }

  /** The whole batch with its CRC. The builder starts anew. */
  finish(options: FinishOptions = {}): Buffer {
    const batch = this.#reserve(0).subarray(0, this.#at);
    batch.writeBigInt64BE(options.baseOffset ?? 0n, 0);
    batch.writeInt32BE(batch.length - BATCH_LENGTH_OVERHEAD, 8);
    batch.writeInt32BE(-1, 12);
    batch.writeInt8(BATCH_MAGIC, 16);
    batch.writeInt16BE((options.isTransactional ? 0x10 : 0) | (options.isControl ? 0x20 : 0), 21);
    batch.writeInt32BE(Math.max(this.#recordCount - 1, 0), 23);
    batch.writeBigInt64BE(BigInt(this.#baseTimestampMs), 27);
    batch.writeBigInt64BE(BigInt(this.#maxTimestampMs), 35);
    batch.writeBigInt64BE(options.producerId ?? -1n, 43);
    batch.writeInt16BE(options.producerEpoch ?? -1, 51);
    batch.writeInt32BE(options.baseSequence ?? -1, 53);
    batch.writeInt32BE(this.#recordCount, 57);
    batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), CRC_AT);

    this.#buffer = undefined;
    this.#at = BATCH_HEADER_BYTES;
    this.#recordCount = 0;
    return batch;
  }

  #reserve(moreBytes: number): Buffer {
    const needed = this.#at + moreBytes;
    const buffer = this.#buffer;
    if (buffer !== undefined && needed <= buffer.length) return buffer;
    while (this.#capacity < needed) this.#capacity *= 2;
    // Slow: not from Node's shared pool, so that a batch that lives on pins no other bytes than its own.
    const grown = Buffer.allocUnsafeSlow(this.#capacity);
    if (buffer !== undefined) buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
    return grown;
  }
}

/** Up to this length a loop beats the call into native code. */
const SHORT_BYTES = 40;

function byteLengthOf(data: Uint8Array | string): number {
  if (typeof data !== 'string') return data.length;
  if (data.length > SHORT_BYTES) return Buffer.byteLength(data);
  for (let i = 0; i < data.length; i++) {
    if (data.charCodeAt(i) > 0x7f) return Buffer.byteLength(data);
  }
  return data.length;
}

function writeBytes(buffer: Buffer, at: number, data: Uint8Array | string, byteLength: number): number {
  if (typeof data !== 'string') {
    if (byteLength > SHORT_BYTES) buffer.set(data, at);
    else for (let i = 0; i < byteLength; i++) buffer[at + i] = data[i]!;
  } else if (data.length === byteLength && byteLength <= SHORT_BYTES) {
    for (let i = 0; i < byteLength; i++) buffer[at + i] = data.charCodeAt(i);
  } else {
    buffer.write(data, at, byteLength, 'utf8');
  }
  return at + byteLength;
}

function headersSize(headers: HeaderFields): number {
  let count = 0;
  let size = 0;
  for (const key in headers) {
    count++;
    const keyBytes = byteLengthOf(key);
    const valueBytes = byteLengthOf(headers[key]!);
    size += varintSize(keyBytes) + keyBytes + varintSize(valueBytes) + valueBytes;
  }
  return varintSize(count) + size;
}

function writeHeaders(buffer: Buffer, at: number, headers: HeaderFields): number {
  let count = 0;
  for (const _key in headers) count++;
  let end = writeVarint(buffer, at, count);
  for (const key in headers) {
    const value = headers[key]!;
    const keyBytes = byteLengthOf(key);
    end = writeVarint(buffer, end, keyBytes);
    end = writeBytes(buffer, end, key, keyBytes);
    const valueBytes = byteLengthOf(value);
    end = writeVarint(buffer, end, valueBytes);
    end = writeBytes(buffer, end, value, valueBytes);
  }
  return end;
}
