/**
 * Record batch v2, the bytes in which Kafka sends and stores records. Big-endian:
 *
 * ```
 *  0 int64  baseOffset              27 int64  baseTimestamp (UTC milliseconds)
 *  8 int32  batchLength: bytes      35 int64  maxTimestamp
 *           after this field        43 int64  producerId, -1: none
 * 12 int32  partitionLeaderEpoch    51 int16  producerEpoch, -1: none
 * 16 int8   magic: 2                53 int32  baseSequence, -1: none
 * 17 uint32 CRC-32C of bytes        57 int32  number of records
 *           21 to the end           61        records, compressed together if attributes say so
 * 21 int16  attributes: bits 0-2 compression, 3 append time, 4 transactional, 5 control
 * 23 int32  lastOffsetDelta
 *
 * record: varint length of what follows · int8 attributes (0) · varlong timestamp delta · varint offset delta
 *         · varint key length (-1: null), key · varint value length (-1: null), value
 *         · varint number of headers, each: varint length, key in UTF-8 · varint length (-1: null), value
 * ```
 *
 * The CRC leaves out base offset and leader epoch, so that a broker sets both without another pass over the bytes.
 */
import { crc32c } from '@node-rs/crc32';
import { decompress } from './decompression.ts';
import { bytesOf, spells, textOf } from './short-bytes.ts';
import { type ByteCursor, readVarint, readVarlong, VarintError } from './varint.ts';

/** Bytes of a batch before its first record. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes of a batch that its length field does not count. */
export const BATCH_LENGTH_OVERHEAD = 12;
/** A compressed batch may not unfold to more than this. */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

export const BATCH_MAGIC = 2;
export const CRC_AT = 17;
export const CRC_FROM = 21;
const ATTRIBUTES_AT = 21;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const BASE_TIMESTAMP_AT = 27;
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Compression = (typeof COMPRESSIONS)[number];

export type RecordBatchErrorCode = 'truncated' | 'bad-magic' | 'bad-length' | 'bad-record' | 'unsupported-compression';

/** The bytes are no record batch that this code can read. */
export class RecordBatchError extends Error {
  override name = 'RecordBatchError';
  readonly code: RecordBatchErrorCode;

  constructor(code: RecordBatchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface BatchHeader {
  baseOffset: bigint;
  lastOffset: bigint;
  /** Bytes of the whole batch, header included. */
  sizeBytes: number;
  partitionLeaderEpoch: number;
  crc: number;
  attributes: number;
  compression: Compression | undefined;
  /** True when the broker set the time: then every record's timestamp is `maxTimestampMs`. */
  isAppendTime: boolean;
  isTransactional: boolean;
  isControl: boolean;
  lastOffsetDelta: number;
  baseTimestampMs: bigint;
  maxTimestampMs: bigint;
  producerId: bigint;
  producerEpoch: number;
  baseSequence: number;
  recordCount: number;
}

/**
 * Reads the header of the batch at `at`. The batch itself may reach past the end of `bytes`.
 * @throws RecordBatchError `truncated`, `bad-magic`, `bad-length`
 */
export function readBatchHeader(bytes: Uint8Array, at = 0): BatchHeader {
  if (bytes.length - at < BATCH_HEADER_BYTES) {
    throw new RecordBatchError('truncated', `a batch header takes 61 bytes, ${bytes.length - at} are left at ${at}`);
  }
  const buffer = asBuffer(bytes);
  const magic = buffer.readInt8(at + 16);
  if (magic !== BATCH_MAGIC)
    throw new RecordBatchError('bad-magic', `magic ${magic} at ${at}: only record batch v2 is read`);
  const header = new HeaderView(buffer, at);
  if (header.sizeBytes < BATCH_HEADER_BYTES) {
    throw new RecordBatchError(
      'bad-length',
      `a batch of ${header.sizeBytes} bytes at ${at} is shorter than its header`,
    );
  }
  return header;
}

/** A header as it lies in its batch: of small batches, reading fields that nobody asks for would cost the most. */
class HeaderView implements BatchHeader {
  readonly sizeBytes: number;
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.sizeBytes = readInt32(bytes, at + 8) + BATCH_LENGTH_OVERHEAD;
  }

  get baseOffset(): bigint {
    return this.#bytes.readBigInt64BE(this.#at);
  }

  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta);
  }

  get partitionLeaderEpoch(): number {
    return readInt32(this.#bytes, this.#at + 12);
  }

  get crc(): number {
    return readInt32(this.#bytes, this.#at + CRC_AT) >>> 0;
  }

  get attributes(): number {
    return this.#bytes.readInt16BE(this.#at + ATTRIBUTES_AT);
  }

  get compression(): Compression | undefined {
    return COMPRESSIONS[this.attributes & 0x07];
  }

  get isAppendTime(): boolean {
    return (this.attributes & 0x08) !== 0;
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL) !== 0;
  }

  get isControl(): boolean {
    return (this.attributes & CONTROL) !== 0;
  }

  get lastOffsetDelta(): number {
    return readInt32(this.#bytes, this.#at + 23);
  }

  get baseTimestampMs(): bigint {
    return this.#bytes.readBigInt64BE(this.#at + BASE_TIMESTAMP_AT);
  }

  get maxTimestampMs(): bigint {
    return this.#bytes.readBigInt64BE(this.#at + 35);
  }

  get producerId(): bigint {
    return this.#bytes.readBigInt64BE(this.#at + 43);
  }

  get producerEpoch(): number {
    return this.#bytes.readInt16BE(this.#at + 51);
  }

  get baseSequence(): number {
    return readInt32(this.#bytes, this.#at + 53);
  }

  get recordCount(): number {
    return readInt32(this.#bytes, this.#at + 57);
  }
}

/** True when the `sizeBytes` bytes at `at` carry their own CRC-32C. */
export function batchCrcIsValid(bytes: Uint8Array, at: number, sizeBytes: number): boolean {
  if (sizeBytes < BATCH_HEADER_BYTES || at + sizeBytes > bytes.length) return false;
  const buffer = asBuffer(bytes);
  return crc32c(buffer.subarray(at + CRC_FROM, at + sizeBytes)) === readInt32(buffer, at + CRC_AT) >>> 0;
}

/**
 * Gives the records of the batch that `bytes` is the time at which the broker took them, in place.
 * The sender's CRC has to hold: it is replaced by one that holds for whatever is there.
 */
export function setAppendTime(bytes: Uint8Array, appendTimeMs: bigint): void {
  const buffer = asBuffer(bytes);
  buffer.writeInt16BE(buffer.readInt16BE(21) | 0x08, 21);
  buffer.writeBigInt64BE(appendTimeMs, 35);
  buffer.writeUInt32BE(crc32c(buffer.subarray(CRC_FROM)), CRC_AT);
}

/** One whole batch as a view over its bytes. */
export class RecordBatch {
  readonly header: BatchHeader;
  readonly bytes: Buffer;

  constructor(header: BatchHeader, bytes: Buffer) {
    this.header = header;
    this.bytes = bytes;
  }

  crcIsValid(): boolean {
    return batchCrcIsValid(this.bytes, 0, this.bytes.length);
  }

  /**
   * The records, each as a view. Nothing is copied; a compressed batch is unpacked first.
   * @throws RecordBatchError `bad-record`, `unsupported-compression`
   */
  *records(): Generator<BatchRecord, void, undefined> {
    const cursor = new RecordCursor(this);
    while (cursor.next()) yield cursor.record();
  }
}

/** False where one of the batches that lie back to back is transactional or a control batch. Looks at nothing else. */
export function areOrdinary(bytes: Uint8Array): boolean {
  const buffer = asBuffer(bytes);
  for (let at = 0; buffer.length - at >= BATCH_HEADER_BYTES; ) {
    if ((buffer[at + ATTRIBUTES_AT + 1]! & (TRANSACTIONAL | CONTROL)) !== 0) return false;
    const sizeBytes = readInt32(buffer, at + 8) + BATCH_LENGTH_OVERHEAD;
    if (sizeBytes < BATCH_HEADER_BYTES) break;
    at += sizeBytes;
  }
  return true;
}

/**
 * The whole batches that lie back to back in `bytes`. A batch that is cut off at the end is left out, as Kafka's fetch
 * may cut there.
 * @throws RecordBatchError `bad-magic`, `bad-length`
 */
export function* iterateBatches(bytes: Uint8Array): Generator<RecordBatch, void, undefined> {
  const buffer = asBuffer(bytes);
  let at = 0;
  while (buffer.length - at >= BATCH_HEADER_BYTES) {
    const header = readBatchHeader(buffer, at);
    if (at + header.sizeBytes > buffer.length) return;
    yield new RecordBatch(header, buffer.subarray(at, at + header.sizeBytes));
    at += header.sizeBytes;
  }
}

/**
 * Walks over the records of a batch without making an object for each: `next()` moves on, the fields tell where the
 * current record's parts lie in `bytes`, and `record()` makes a view that outlives the step.
 */
export class RecordCursor {
  readonly bytes: Buffer;
  readonly baseOffset: bigint;
  offsetDelta = 0;
  timestampMs = 0;
  /** -1 where the key is null; so is `valueStart`. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  /** Also where the headers begin. */
  valueEnd = -1;
  recordEnd: number;

  readonly #recordCount: number;
  readonly #baseTimestampMs: number;
  readonly #appendTimeMs: number | undefined;
  readonly #cursor: ByteCursor = { at: 0 };
  #seen = 0;

  /** @throws RecordBatchError `unsupported-compression`, `bad-record` */
  constructor(batch: RecordBatch) {
    const { header } = batch;
    this.baseOffset = header.baseOffset;
    this.#recordCount = header.recordCount;
    this.#baseTimestampMs = readInt64(batch.bytes, BASE_TIMESTAMP_AT);
    this.#appendTimeMs = header.isAppendTime ? Number(header.maxTimestampMs) : undefined;
    if (header.compression === 'none') {
      this.bytes = batch.bytes;
      this.recordEnd = BATCH_HEADER_BYTES;
    } else {
      this.bytes = decompressed(batch);
      this.recordEnd = 0;
    }
  }

  /**
   * Moves to the next record; false after the last.
   * @throws RecordBatchError `bad-record`
   */
  next(): boolean {
    if (this.#seen >= this.#recordCount) return false;
    this.#seen++;
    try {
      this.#step();
    } catch (cause) {
      throw cause instanceof VarintError ? unreadableNumber(cause) : cause;
    }
    return true;
  }

  #step(): void {
    const { bytes } = this;
    const cursor = this.#cursor;
    cursor.at = this.recordEnd;
    const length = readVarint(bytes, cursor);
    const recordEnd = cursor.at + length;
    if (length < 0 || recordEnd > bytes.length) throw damagedRecord(this, 'reaches past its batch');
    this.recordEnd = recordEnd;
    cursor.at++;
    const timestampDelta = readVarlong(bytes, cursor);
    this.timestampMs = this.#appendTimeMs ?? this.#baseTimestampMs + timestampDelta;
    this.offsetDelta = readVarint(bytes, cursor);
    const keyLength = readVarint(bytes, cursor);
    this.keyStart = keyLength < 0 ? -1 : cursor.at;
    if (keyLength > 0) cursor.at += keyLength;
    this.keyEnd = cursor.at;
    if (this.keyEnd > recordEnd) throw damagedRecord(this, 'has a key that reaches past it');
    const valueLength = readVarint(bytes, cursor);
    this.valueStart = valueLength < 0 ? -1 : cursor.at;
    if (valueLength > 0) cursor.at += valueLength;
    this.valueEnd = cursor.at;
    if (this.valueEnd > recordEnd) throw damagedRecord(this, 'has a value that reaches past it');
  }

  /** The current record as a view of its own. */
  record(): BatchRecord {
    return new BatchRecord(this);
  }
}

/** One record as a view over its batch's bytes; parts are cut out, headers read, only when asked for. */
export class BatchRecord {
  readonly timestampMs: number;
  readonly offsetDelta: number;
  readonly #batch: Pick<RecordCursor, 'bytes' | 'baseOffset'>;
  readonly #keyStart: number;
  readonly #keyEnd: number;
  readonly #valueStart: number;
  readonly #valueEnd: number;
  readonly #recordEnd: number;

  constructor(cursor: RecordCursor) {
    this.timestampMs = cursor.timestampMs;
    this.offsetDelta = cursor.offsetDelta;
    this.#batch = cursor;
    this.#keyStart = cursor.keyStart;
    this.#keyEnd = cursor.keyEnd;
    this.#valueStart = cursor.valueStart;
    this.#valueEnd = cursor.valueEnd;
    this.#recordEnd = cursor.recordEnd;
  }

  get offset(): bigint {
    return this.#batch.baseOffset + BigInt(this.offsetDelta);
  }

  /** Records with the same key may give the same Buffer: it is not to be written to. */
  get key(): Buffer | null {
    return this.#keyStart < 0 ? null : bytesOf(this.#batch.bytes, this.#keyStart, this.#keyEnd);
  }

  get value(): Buffer | null {
    return this.#valueStart < 0 ? null : this.#batch.bytes.subarray(this.#valueStart, this.#valueEnd);
  }

  /** Value of the first header of that name, as UTF-8 text; undefined where there is none or it is null. */
  header(name: string): string | undefined {
    const found = this.#headerCursor();
    while (found.next()) {
      if (!spells(found.bytes, found.keyStart, found.keyEnd, name)) continue;
      return found.valueStart < 0 ? undefined : textOf(found.bytes, found.valueStart, found.valueEnd);
    }
    return undefined;
  }

  headers(): { key: string; value: Buffer | null }[] {
    const headers: { key: string; value: Buffer | null }[] = [];
    const found = this.#headerCursor();
    while (found.next()) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = found;
      const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
      headers.push({ key: textOf(bytes, keyStart, keyEnd), value });
    }
    return headers;
  }

  #headerCursor(): HeaderCursor {
    return new HeaderCursor(this.#batch.bytes, this.#valueEnd, this.#recordEnd, this);
  }
}

/** Walks over the headers of one record, as `RecordCursor` does over records. */
class HeaderCursor {
  readonly bytes: Buffer;
  keyStart = 0;
  keyEnd = 0;
  /** -1 where the value is null. */
  valueStart = -1;
  valueEnd = -1;
  readonly #record: BatchRecord;
  readonly #recordEnd: number;
  readonly #cursor: ByteCursor;
  #left: number;

  constructor(bytes: Buffer, headersStart: number, recordEnd: number, record: BatchRecord) {
    this.bytes = bytes;
    this.#record = record;
    this.#recordEnd = recordEnd;
    this.#cursor = { at: headersStart };
    this.#left = readNumber(bytes, this.#cursor);
  }

  /** @throws RecordBatchError `bad-record` */
  next(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    const cursor = this.#cursor;
    const keyLength = readNumber(this.bytes, cursor);
    this.keyStart = cursor.at;
    this.keyEnd = cursor.at + keyLength;
    if (keyLength < 0 || this.keyEnd > this.#recordEnd) throw this.#damaged();
    cursor.at = this.keyEnd;
    const valueLength = readNumber(this.bytes, cursor);
    this.valueStart = valueLength < 0 ? -1 : cursor.at;
    if (valueLength > 0) cursor.at += valueLength;
    this.valueEnd = cursor.at;
    if (this.valueEnd > this.#recordEnd) throw this.#damaged();
    return true;
  }

  #damaged(): RecordBatchError {
    return new RecordBatchError(
      'bad-record',
      `a header of the record at offset ${this.#record.offset} reaches past it`,
    );
  }
}

function decompressed(batch: RecordBatch): Buffer {
  const { compression, attributes } = batch.header;
  if (compression === undefined || compression === 'none') {
    const what = `codec ${attributes & 0x07}, which is none of ${COMPRESSIONS.slice(1).join(', ')}`;
    throw new RecordBatchError('unsupported-compression', `this batch is compressed with ${what}`);
  }
  try {
    return decompress(compression, batch.bytes.subarray(BATCH_HEADER_BYTES), MAX_DECOMPRESSED_BYTES);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecordBatchError('bad-record', `the records of this batch do not unpack with ${compression}: ${reason}`, {
      cause,
    });
  }
}

function damagedRecord(cursor: RecordCursor, what: string): RecordBatchError {
  return new RecordBatchError('bad-record', `a record of the batch at offset ${cursor.baseOffset} ${what}`);
}

function readNumber(bytes: Buffer, cursor: ByteCursor): number {
  try {
    return readVarint(bytes, cursor);
  } catch (cause) {
    throw unreadableNumber(cause);
  }
}

function unreadableNumber(cause: unknown): RecordBatchError {
  return new RecordBatchError('bad-record', 'a record holds a number that cannot be read', { cause });
}

/** As Buffer's method, without its checks. */
function readInt32(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** As a number, beyond 2^53 the nearest one: a bigint on the way would cost more than the rest of opening a batch. */
function readInt64(bytes: Buffer, at: number): number {
  return readInt32(bytes, at) * 2 ** 32 + (readInt32(bytes, at + 4) >>> 0);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
