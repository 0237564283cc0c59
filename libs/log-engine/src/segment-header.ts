import { crc32c } from '@node-rs/crc32';
import { EngineError } from './errors.ts';
import { readInt64LE, writeInt64LE } from './int64.ts';
import { FORMAT_VERSION, SEGMENT_HEADER, SEGMENT_MAGIC } from './layout.ts';
import type { SegmentName } from './segment.ts';

const { at: AT, sizeBytes: SIZE } = SEGMENT_HEADER;

/** What tells a segment from every other one. */
export interface SegmentIdentity {
  volumeId: Buffer;
  segmentNumber: number;
  createdAtMs: number;
  /** Of a side segment: when the last of what it carries was appended. Undefined in a plain one. */
  side?: SideIdentity | undefined;
}

/** What makes a segment a side segment: it holds what remains of others, in the place of the newest of them. */
export interface SideIdentity {
  /** From 1: how often what stands under this number was carried over. */
  generation: number;
  /** Number of the oldest segment whose remains it carries; those from there up to its own number are obsolete. */
  carriesFrom: number;
  appendedUntilMs: number;
}

/** Writes the header at the start of `bytes`. */
export function writeSegmentHeader(bytes: Buffer, identity: SegmentIdentity): void {
  bytes.fill(0, 0, SIZE);
  bytes.write(SEGMENT_MAGIC, AT.magic, 'latin1');
  bytes.writeUInt32LE(FORMAT_VERSION, AT.formatVersion);
  bytes.writeUInt32LE(identity.segmentNumber, AT.segmentNumber);
  identity.volumeId.copy(bytes, AT.volumeId);
  writeInt64LE(bytes, AT.createdAtMs, identity.createdAtMs);
  if (identity.side !== undefined) {
    bytes.writeUInt32LE(identity.side.generation, AT.generation);
    bytes.writeUInt32LE(identity.side.carriesFrom, AT.carriesFrom);
    writeInt64LE(bytes, AT.appendedUntilMs, identity.side.appendedUntilMs);
  }
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, AT.crc)), AT.crc);
}

export interface SegmentHeader extends SegmentIdentity {
  formatVersion: number;
  crc: number;
}

/**
 * Reads a segment's header; undefined when these bytes are none, or damaged.
 * @param path named in errors
 * @throws EngineError `format-newer`
 */
export function readSegmentHeader(bytes: Buffer, path: string): SegmentHeader | undefined {
  if (bytes.length < SIZE || bytes.toString('latin1', AT.magic, AT.magic + SEGMENT_MAGIC.length) !== SEGMENT_MAGIC) {
    return undefined;
  }
  const crc = bytes.readUInt32LE(AT.crc);
  if (crc32c(bytes.subarray(0, AT.crc)) !== crc) return undefined;
  const version = bytes.readUInt32LE(AT.formatVersion);
  if (version > FORMAT_VERSION) {
    throw new EngineError(
      'format-newer',
      `${path} has journal format ${version}; this version reads up to ${FORMAT_VERSION}`,
    );
  }
  // In format 1 these bytes were reserved, and 0.
  const generation = version === 1 ? 0 : bytes.readUInt32LE(AT.generation);
  return {
    formatVersion: version,
    volumeId: Buffer.from(bytes.subarray(AT.volumeId, AT.volumeId + 16)),
    segmentNumber: bytes.readUInt32LE(AT.segmentNumber),
    createdAtMs: readInt64LE(bytes, AT.createdAtMs),
    side:
      generation === 0
        ? undefined
        : {
            generation,
            carriesFrom: bytes.readUInt32LE(AT.carriesFrom),
            appendedUntilMs: readInt64LE(bytes, AT.appendedUntilMs),
          },
    crc,
  };
}

/** True when a segment with this header belongs under that name. */
export function isNamed(header: SegmentIdentity, name: SegmentName): boolean {
  return header.segmentNumber === name.number && (header.side?.generation ?? 0) === name.generation;
}
