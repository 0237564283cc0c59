/**
 * Unpacking the records of a compressed batch. What a few bytes unfold to may be huge, so each codec's own lengths are
 * looked at first, and nothing is unpacked that could go past the limit:
 *
 * ```
 * snappy   a block begins with its unpacked size as uvarint. Java wraps blocks: "\x82SNAPPY\0" int32 version int32 compatible
 *          version, then int32 size and so many bytes each; librdkafka sends one block.
 * lz4      frame: magic 04224d18 · flags · block size · [content size] · [dictionary] · header checksum, then blocks of
 *          uint32 size (top bit: not packed) and bytes · [checksum], to a size of 0. A block unfolds to at most its frame's
 *          block size, and to at most 255 bytes a byte.
 * zstd     frame: magic 28b52ffd · descriptor · window or content size, then blocks, unpacked one after the other.
 * ```
 */
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

const XERIAL_MAGIC = Buffer.from('82534e4150505900', 'hex');
const XERIAL_HEADER_BYTES = 16;
const LZ4_MAGIC = 0x184d2204;
const ZSTD_MAGIC = 0xfd2fb528;
/** What every reader of zstd has to allow (RFC 8878). */
const ZSTD_WINDOW_BYTES = 8 * 1024 * 1024;

// Each is loaded with the first batch that needs it: few processes meet any.
const load = createRequire(import.meta.url);

/**
 * @param maxBytes what it may unfold to at most
 * @throws Error that says what is wrong with the bytes
 */
export function decompress(codec: Codec, packed: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case 'gzip':
      return gunzipSync(packed, { maxOutputLength: maxBytes });
    case 'snappy':
      return unpackSnappy(packed, maxBytes);
    case 'lz4':
      checkLz4(packed, maxBytes);
      return (load('lz4-napi') as typeof import('lz4-napi')).decompressFrameSync(packed);
    case 'zstd':
      return unpackZstd(packed, maxBytes);
  }
}

function unpackSnappy(packed: Buffer, maxBytes: number): Buffer {
  const blocks = packed.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC) ? xerialBlocks(packed) : [packed];
  checkSize(
    blocks.reduce((sum, block) => sum + snappySize(block), 0),
    maxBytes,
  );
  const { uncompressSync } = load('snappy') as typeof import('snappy');
  return Buffer.concat(blocks.map((block) => uncompressSync(block, { asBuffer: true }) as Buffer));
}

function xerialBlocks(packed: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < packed.length; ) {
    const sizeBytes = packed.readInt32BE(at);
    const end = at + 4 + sizeBytes;
    if (sizeBytes < 0 || end > packed.length) throw new Error(`a block at ${at} reaches past the end`);
    blocks.push(packed.subarray(at + 4, end));
    at = end;
  }
  return blocks;
}

function snappySize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    size += (block[i]! & 0x7f) * 2 ** (7 * i);
    if (block[i]! < 0x80) return size;
  }
  throw new Error('a block does not begin with its size');
}

function checkLz4(packed: Buffer, maxBytes: number): void {
  if (packed.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('it is no lz4 frame');
  const flags = packed.readUInt8(4);
  const [hasBlockChecksums, hasContentSize, hasDictionary] = [flags & 0x10, flags & 0x08, flags & 0x01];
  const maxBlockBytes = 2 ** (8 + 2 * ((packed.readUInt8(5) >> 4) & 7));
  let unpacked = 0;
  for (let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0); ; ) {
    const word = packed.readUInt32LE(at);
    if (word === 0) break;
    const sizeBytes = word & 0x7fff_ffff;
    const isPacked = word < 0x8000_0000;
    unpacked += isPacked ? Math.min(maxBlockBytes, 255 * sizeBytes) : sizeBytes;
    at += 4 + sizeBytes + (hasBlockChecksums ? 4 : 0);
  }
  // The last block is seldom full.
  checkSize(Math.max(0, unpacked - maxBlockBytes), maxBytes);
}

function unpackZstd(packed: Buffer, maxBytes: number): Buffer {
  checkSize(zstdWindow(packed), Math.max(maxBytes, ZSTD_WINDOW_BYTES));
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const { Decompress } = load('fzstd') as typeof import('fzstd');
  const stream = new Decompress((part) => {
    sizeBytes += part.length;
    checkSize(sizeBytes, maxBytes);
    parts.push(part);
  });
  stream.push(packed, true);
  return Buffer.concat(parts);
}

/** Bytes that unpacking keeps at a time: the window, or all where the frame is one segment. */
function zstdWindow(packed: Buffer): number {
  if (packed.readUInt32LE(0) !== ZSTD_MAGIC) throw new Error('it is no zstd frame');
  const descriptor = packed.readUInt8(4);
  const isOneSegment = (descriptor & 0x20) !== 0;
  if (!isOneSegment) {
    const window = packed.readUInt8(5);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return packed.readUInt8(at);
    case 1:
      return packed.readUInt16LE(at) + 256;
    case 2:
      return packed.readUInt32LE(at);
    default:
      return Number(packed.readBigUInt64LE(at));
  }
}

function checkSize(unpackedBytes: number, maxBytes: number): void {
  if (unpackedBytes > maxBytes) throw new Error(`it would unfold to ${unpackedBytes} bytes, more than ${maxBytes}`);
}
