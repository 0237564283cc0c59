/**
 * Frames: a header of 32 bytes, a payload, zeros up to a multiple of 8. The header tells its segment and position, so a
 * misdirected or left-over frame never counts, and a reader finds the next frame behind a damaged one.
 *
 * The header's CRC covers the header after itself; for a batch also the batch's first 21 bytes, which the batch's own
 * CRC leaves out. So every byte is hashed once.
 */
import { crc32c } from '@node-rs/crc32';
import { UNCHECKED_BATCH_BYTES } from './batch-header.ts';
import { readInt64LE, writeInt64LE } from './int64.ts';
import { FRAME_HEADER } from './layout.ts';

const { at: AT, sizeBytes: HEADER_BYTES } = FRAME_HEADER;
/** Frames begin and end on multiples of this. */
export const FRAME_ALIGNMENT = 8;
const CRC_FROM = AT.payloadBytes;

export const FRAME_TYPES = { batch: 1, control: 2, checkpoint: 3, mark: 4 } as const;
export type FrameType = (typeof FRAME_TYPES)[keyof typeof FRAME_TYPES];

/** Bytes before a payload's CRC-protected text in control and checkpoint frames. */
export const TEXT_CRC_BYTES = 4;
/** From here a reader can judge a frame's header, batch or not. */
export const FRAME_PROBE_BYTES = HEADER_BYTES + UNCHECKED_BATCH_BYTES;

/** Bytes of a frame with its header and padding. */
export function frameSizeBytes(payloadBytes: number): number {
  return Math.ceil((HEADER_BYTES + payloadBytes) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
}

/** A mark has no payload: up to where the segment was durable when it was written stands in the place of the partition. */
export const MARK_BYTES = frameSizeBytes(0);
export const markSyncedTo = (bytes: Buffer, at: number): number => framePartitionId(bytes, at) * FRAME_ALIGNMENT;

/** Where a frame stands: these four make its header together with the payload's length. */
export interface FramePlace {
  type: FrameType;
  partitionId: number;
  segmentNumber: number;
  /** From the segment's start; a multiple of 8. */
  position: number;
  appendTimeMs: number;
}

/** Completes the frame at `at`, whose payload is already in place: writes header and padding. */
export function writeFrameAround(bytes: Buffer, at: number, payloadBytes: number, place: FramePlace): void {
  bytes.writeUInt32LE(payloadBytes, at + AT.payloadBytes);
  bytes.writeUInt32LE(place.type, at + AT.type);
  bytes.writeUInt32LE(place.partitionId, at + AT.partitionId);
  bytes.writeUInt32LE(place.segmentNumber, at + AT.segmentNumber);
  bytes.writeUInt32LE(place.position / FRAME_ALIGNMENT, at + AT.positionInEights);
  writeInt64LE(bytes, at + AT.appendTimeMs, place.appendTimeMs);
  bytes.writeUInt32LE(headerCrc(bytes, at, place.type), at + AT.crc);
  const payloadEnd = at + HEADER_BYTES + payloadBytes;
  const frameEnd = at + frameSizeBytes(payloadBytes);
  for (let i = payloadEnd; i < frameEnd; i++) bytes[i] = 0;
}

/** Completes a control or checkpoint frame, whose text stands `TEXT_CRC_BYTES` into the payload. */
export function writeTextFrameAround(bytes: Buffer, at: number, payloadBytes: number, place: FramePlace): void {
  const textAt = at + HEADER_BYTES + TEXT_CRC_BYTES;
  const crc = crc32c(bytes.subarray(textAt, at + HEADER_BYTES + payloadBytes));
  bytes.writeUInt32LE(crc, at + HEADER_BYTES);
  writeFrameAround(bytes, at, payloadBytes, place);
}

/** The payload of a control or checkpoint frame as text; undefined when it does not match its CRC. */
export function readFrameText(payload: Buffer): string | undefined {
  if (payload.length < TEXT_CRC_BYTES) return undefined;
  const text = payload.subarray(TEXT_CRC_BYTES);
  return crc32c(text) === payload.readUInt32LE(0) ? text.toString('utf8') : undefined;
}

/** True when a whole and genuine header of the frame at `position` of that segment lies at `at`. */
export function frameHeaderIsValid(bytes: Buffer, at: number, segmentNumber: number, position: number): boolean {
  if (at + HEADER_BYTES > bytes.length) return false;
  if (bytes.readUInt32LE(at + AT.positionInEights) !== position / FRAME_ALIGNMENT) return false;
  if (bytes.readUInt32LE(at + AT.segmentNumber) !== segmentNumber) return false;
  const type = frameType(bytes, at);
  if (type === FRAME_TYPES.batch && at + FRAME_PROBE_BYTES > bytes.length) return false;
  return headerCrc(bytes, at, type) === bytes.readUInt32LE(at + AT.crc);
}

export const frameType = (bytes: Buffer, at: number): number => bytes[at + AT.type]!;
export const framePayloadBytes = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at + AT.payloadBytes);
export const framePartitionId = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at + AT.partitionId);
export const frameAppendTimeMs = (bytes: Buffer, at: number): number => readInt64LE(bytes, at + AT.appendTimeMs);

function headerCrc(bytes: Buffer, at: number, type: number): number {
  const end = at + (type === FRAME_TYPES.batch ? FRAME_PROBE_BYTES : HEADER_BYTES);
  return crc32c(bytes.subarray(at + CRC_FROM, end));
}
