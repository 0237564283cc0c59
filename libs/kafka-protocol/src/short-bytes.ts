/**
 * Keys and header values are short and name the same few things over and over: each is made once and found again by its
 * bytes. A table holds the last of each hash, so it stays small whatever comes.
 */
const SLOTS = 16 * 1024;
const MAX_KEPT_BYTES = 16;

const keptTexts: (string | undefined)[] = new Array(SLOTS).fill(undefined);
const keptBytes: (Buffer | undefined)[] = new Array(SLOTS).fill(undefined);

/** The bytes as UTF-8 text. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_KEPT_BYTES) return bytes.toString('utf8', start, end);
  const slot = slotOf(bytes, start, end);
  const kept = keptTexts[slot];
  if (kept !== undefined && spells(bytes, start, end, kept)) return kept;
  const text = bytes.toString('utf8', start, end);
  keptTexts[slot] = text;
  return text;
}

/** The bytes from `start` on: a copy that others share when they are few, else a view. */
export function bytesOf(bytes: Buffer, start: number, end: number): Buffer {
  if (end - start > MAX_KEPT_BYTES) return bytes.subarray(start, end);
  const slot = slotOf(bytes, start, end);
  const kept = keptBytes[slot];
  if (kept !== undefined && isSame(kept, bytes, start, end)) return kept;
  // Slow: a slice of Node's shared pool would keep all of the pool's block.
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  keptBytes[slot] = copy;
  return copy;
}

/** True when the bytes are this text in UTF-8. */
export function spells(bytes: Buffer, start: number, end: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return bytes.toString('utf8', start, end) === text;
    if (code !== bytes[start + i]) return false;
  }
  return text.length === end - start;
}

function isSame(kept: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (kept.length !== end - start) return false;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== bytes[start + i]) return false;
  return true;
}

function slotOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}
