/** Longer lines are cut to this length; every layout is far shorter, so the rest of a line never matters. */
export const LINE_BYTES_MAX = 4096;

/** `start` to `end` without the line end; `lineNumber` counts from 1. */
export type LineHandler = (buffer: Uint8Array, start: number, end: number, lineNumber: number) => void;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits chunks of bytes at LF or CRLF without copying: only a line that spans chunks is put together. The last line
 * counts with or without a line end. Memory is bounded, whatever the input.
 */
export class LineSplitter {
  #lineNumber = 0;
  /** The beginning of a line whose end has not come yet. */
  #carry = Buffer.alloc(0);
  readonly #onLine: LineHandler;

  constructor(onLine: LineHandler) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    if (this.#carry.length > 0) {
      const end = chunk.indexOf(LF);
      this.#carryOn(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) return;
      this.#emitCarry();
      start = end + 1;
    }
    for (let end = chunk.indexOf(LF, start); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#emit(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#carryOn(chunk.subarray(start));
  }

  /** The input has ended: a last line without a line end is a line. */
  end(): void {
    if (this.#carry.length > 0) this.#emitCarry();
  }

  #carryOn(bytes: Buffer): void {
    const room = LINE_BYTES_MAX - this.#carry.length;
    if (room > 0) this.#carry = Buffer.concat([this.#carry, bytes.subarray(0, room)]);
  }

  #emitCarry(): void {
    const line = this.#carry;
    this.#carry = Buffer.alloc(0);
    this.#emit(line, 0, line.length);
  }

  #emit(buffer: Buffer, start: number, end: number): void {
    const endOfText = end > start && buffer[end - 1] === CR ? end - 1 : end;
    this.#onLine(buffer, start, Math.min(endOfText, start + LINE_BYTES_MAX), ++this.#lineNumber);
  }
}
