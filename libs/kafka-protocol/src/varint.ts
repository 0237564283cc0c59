/**
 * Variable-length integers of record batch v2: zig-zag (0, -1, 1, -2 become 0, 1, 2, 3), then seven bits a byte, lowest
 * first, the high bit set on all but the last. `varint` holds 32 bits in at most 5 bytes, `varlong` 64 bits in at most 10.
 */

/** Where a reader stands in its bytes. One object is moved along, so that reading a number allocates nothing. */
export interface ByteCursor {
  at: number;
}

export class VarintError extends Error {
  override name = 'VarintError';
}

export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  if (zigzag < 0x10000000) return 4;
  return 5;
}

/** Writes a 32-bit signed integer and returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    bytes[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  bytes[at++] = zigzag;
  return at;
}

/** @throws VarintError when the bytes end inside the number, or it is longer than 5 bytes. */
export function readVarint(bytes: Uint8Array, cursor: ByteCursor): number {
  // Nearly all numbers of a record take one byte or two. What is not there reads as undefined, and fits neither.
  const { at } = cursor;
  const first = bytes[at]!;
  if (first < 0x80) {
    cursor.at = at + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  const second = bytes[at + 1]!;
  if (second < 0x80) {
    cursor.at = at + 2;
    const zigzag = (first & 0x7f) | (second << 7);
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }
  return readLongVarint(bytes, cursor);
}

function readLongVarint(bytes: Uint8Array, cursor: ByteCursor): number {
  let { at } = cursor;
  let zigzag = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) throw new VarintError(`the bytes end inside a varint at ${cursor.at}`);
    zigzag |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.at = at;
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
  }
  throw new VarintError(`a varint at ${cursor.at} is longer than 5 bytes`);
}

export function varlongSize(value: number): number {
  if (value === (value | 0)) return varintSize(value);
  let zigzag = zigzagOf(BigInt(value));
  let size = 1;
  while (zigzag >= 0x80n) {
    zigzag >>= 7n;
    size++;
  }
  return size;
}

/** Writes a safe integer as 64-bit varlong and returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, at, value);
  let zigzag = zigzagOf(BigInt(value));
  while (zigzag >= 0x80n) {
    bytes[at++] = Number(zigzag & 0x7fn) | 0x80;
    zigzag >>= 7n;
  }
  bytes[at++] = Number(zigzag);
  return at;
}

/**
 * Reads a 64-bit varlong as a number; beyond 2^53 the nearest one.
 * @throws VarintError when the bytes end inside the number, or it is longer than 10 bytes.
 */
export function readVarlong(bytes: Uint8Array, cursor: ByteCursor): number {
  const { at } = cursor;
  const first = bytes[at]!;
  if (first < 0x80) {
    cursor.at = at + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  const second = bytes[at + 1]!;
  if (second < 0x80) {
    cursor.at = at + 2;
    const zigzag = (first & 0x7f) | (second << 7);
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }
  return readLongVarlong(bytes, cursor);
}

function readLongVarlong(bytes: Uint8Array, cursor: ByteCursor): number {
  let { at } = cursor;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) throw new VarintError(`the bytes end inside a varlong at ${cursor.at}`);
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.at = at;
      return (low >>> 1) ^ -(low & 1);
    }
  }
  let zigzag = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = bytes[at++];
    if (byte === undefined) throw new VarintError(`the bytes end inside a varlong at ${cursor.at}`);
    zigzag |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor.at = at;
      return Number(BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n)));
    }
  }
  throw new VarintError(`a varlong at ${cursor.at} is longer than 10 bytes`);
}

function zigzagOf(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}
