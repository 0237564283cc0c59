/** 64-bit integers as numbers: what the engine counts stays below 2^53, and bigints would be made for every batch. */

const HIGH = 2 ** 32;

export function readInt64LE(bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at + 4) * HIGH + bytes.readUInt32LE(at);
}

/** @param value a safe integer */
export function writeInt64LE(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeInt32LE(Math.floor(value / HIGH), at + 4);
}

/** Reads a big-endian integer; what is no safe integer becomes the nearest one. */
export function readInt64BE(bytes: Buffer, at: number): number {
  const value = bytes.readInt32BE(at) * HIGH + bytes.readUInt32BE(at + 4);
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** @param value a safe integer */
export function writeInt64BE(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / HIGH), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
