/**
 * The few fields of a record batch v2 (big-endian; whole table in libs/kafka-protocol) that the engine needs for every
 * batch, read as numbers and without an object.
 */
import { crc32c } from '@node-rs/crc32';
import { EngineError } from './errors.ts';
import { readInt64BE, writeInt64BE } from './int64.ts';

export const BATCH_HEADER_BYTES = 61;
/** The part of a batch that its own CRC does not cover: base offset, length, leader epoch, magic and that CRC. */
export const UNCHECKED_BATCH_BYTES = 21;
const LENGTH_OVERHEAD = 12;
const MAGIC = 2;
const LEADER_EPOCH = 0;

const AT = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

export const batchSizeBytes = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at + AT.length) + LENGTH_OVERHEAD;
export const batchBaseOffset = (bytes: Buffer, at: number): number => readInt64BE(bytes, at + AT.baseOffset);
export const batchLastOffsetDelta = (bytes: Buffer, at: number): number => bytes.readInt32BE(at + AT.lastOffsetDelta);
export const batchMaxTimestampMs = (bytes: Buffer, at: number): number => readInt64BE(bytes, at + AT.maxTimestamp);
export const batchAttributes = (bytes: Buffer, at: number): number => bytes.readUInt16BE(at + AT.attributes);

const CODEC_BITS = 0x07;
const GZIP = 1;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
export const batchIsTransactional = (bytes: Buffer, at: number): boolean =>
  (batchAttributes(bytes, at) & TRANSACTIONAL) !== 0;
export const batchIsControl = (bytes: Buffer, at: number): boolean => attributesAreControl(batchAttributes(bytes, at));
export const attributesAreControl = (attributes: number): boolean => (attributes & CONTROL) !== 0;
/** False for what has no producer id, whose sign would be -1's. */
export const batchHasProducer = (bytes: Buffer, at: number): boolean => bytes[at + AT.producerId]! < 0x80;
export const batchProducerId = (bytes: Buffer, at: number): number => readInt64BE(bytes, at + AT.producerId);
export const batchProducerEpoch = (bytes: Buffer, at: number): number => bytes.readInt16BE(at + AT.producerEpoch);
export const batchBaseSequence = (bytes: Buffer, at: number): number => bytes.readInt32BE(at + AT.baseSequence);

/** Sets what the log decides: where the batch begins, and the leader's epoch. Both lie outside the batch's CRC. */
export function placeBatch(bytes: Buffer, at: number, baseOffset: number): void {
  writeInt64BE(bytes, at + AT.baseOffset, baseOffset);
  bytes.writeInt32BE(LEADER_EPOCH, at + AT.leaderEpoch);
}

/** What is wrong with the stored batch of `sizeBytes` bytes at `at`, or undefined. Compaction takes records out. */
export function batchFault(bytes: Buffer, at: number, sizeBytes: number): string | undefined {
  if (sizeBytes < BATCH_HEADER_BYTES) return `has ${sizeBytes} bytes, its header alone ${BATCH_HEADER_BYTES}`;
  if (batchSizeBytes(bytes, at) !== sizeBytes) return `gives its size as ${batchSizeBytes(bytes, at)} of ${sizeBytes}`;
  if (bytes.readInt8(at + AT.magic) !== MAGIC) return `has magic ${bytes.readInt8(at + AT.magic)}, not ${MAGIC}`;
  const recordCount = bytes.readInt32BE(at + AT.recordCount);
  if (recordCount < 1 || batchLastOffsetDelta(bytes, at) < recordCount - 1) return countsWrong(bytes, at);
  const actual = crc32c(bytes.subarray(at + UNCHECKED_BATCH_BYTES, at + sizeBytes));
  if (actual !== bytes.readUInt32BE(at + AT.crc)) return 'does not match its CRC';
  return undefined;
}

/** Says that the batch's records are packed with gzip, whatever they were packed with. */
export function setGzip(bytes: Buffer): void {
  bytes.writeUInt16BE((batchAttributes(bytes, 0) & ~CODEC_BITS) | GZIP, AT.attributes);
}

/** Completes a stored batch whose records were replaced: its length, their number, the CRC. */
export function finishBatch(bytes: Buffer, recordCount: number): Buffer {
  bytes.writeInt32BE(bytes.length - LENGTH_OVERHEAD, AT.length);
  bytes.writeInt32BE(recordCount, AT.recordCount);
  bytes.writeUInt32BE(crc32c(bytes.subarray(UNCHECKED_BATCH_BYTES)), AT.crc);
  return bytes;
}

function countsWrong(bytes: Buffer, at: number): string {
  const recordCount = bytes.readInt32BE(at + AT.recordCount);
  return `counts ${recordCount} records, and ${batchLastOffsetDelta(bytes, at)} as last offset delta`;
}

/**
 * Checks batches that lie back to back, as a producer sends them.
 * @param mayHaveGaps whether they may have fewer records than offsets
 * @throws EngineError `batch-corrupt`, `batch-too-large`
 */
export function checkBatches(bytes: Buffer, maxBytes: number, mayHaveGaps = false): void {
  let at = 0;
  do {
    const left = bytes.length - at;
    if (left < BATCH_HEADER_BYTES) {
      throw new EngineError(
        'batch-corrupt',
        `a record batch takes at least ${BATCH_HEADER_BYTES} bytes, ${left} are left`,
      );
    }
    const sizeBytes = batchSizeBytes(bytes, at);
    if (sizeBytes > maxBytes) {
      throw new EngineError(
        'batch-too-large',
        `a batch of ${sizeBytes} bytes is larger than max.message.bytes, ${maxBytes}`,
      );
    }
    if (sizeBytes > left) {
      throw new EngineError('batch-corrupt', `a batch of ${sizeBytes} bytes is cut off after ${left}`);
    }
    const isDense = mayHaveGaps || batchLastOffsetDelta(bytes, at) === bytes.readInt32BE(at + AT.recordCount) - 1;
    const fault = isDense ? batchFault(bytes, at, sizeBytes) : countsWrong(bytes, at);
    if (fault !== undefined) throw new EngineError('batch-corrupt', `the batch at byte ${at} ${fault}`);
    at += sizeBytes;
  } while (at < bytes.length);
}
