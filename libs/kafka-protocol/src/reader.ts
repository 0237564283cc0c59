import { ProtocolError } from './protocol-error.ts';

/**
 * Most array elements of one message. Empty elements cost a sender a few bytes and a receiver an object each, so the
 * frame limit alone would not bound memory.
 */
const MAX_ELEMENTS = 2_000_000;
const MAX_UVARINT_BYTES = 5;

/** Reads Kafka's primitives from bytes, front to back. Byte fields are views, not copies. */
export class Reader {
  readonly #bytes: Buffer;
  #position: number;
  #elements = 0;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Unsigned, seven bits a byte, lowest first. */
  uvarint(): number {
    let value = 0;
    for (let i = 0; i < MAX_UVARINT_BYTES; i++) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new ProtocolError('malformed', `a variable-length number is longer than ${MAX_UVARINT_BYTES} bytes`);
  }

  text(length: number): string {
    const from = this.#take(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  view(length: number): Buffer {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** A reader of the next bytes only. */
  part(length: number): Reader {
    return new Reader(this.view(length));
  }

  /** Checks an array's length before anything is allocated for it. Every element takes a byte at least. */
  countElements(count: number): void {
    this.#elements += count;
    if (count > this.remaining) {
      throw new ProtocolError('truncated', `an array of ${count} elements in the last ${this.remaining} bytes`);
    }
    if (this.#elements > MAX_ELEMENTS) {
      throw new ProtocolError('malformed', `more than ${MAX_ELEMENTS} array elements in one message`);
    }
  }

  /** @throws ProtocolError `trailing-bytes` */
  expectEnd(): void {
    if (this.remaining > 0)
      throw new ProtocolError('trailing-bytes', `${this.remaining} bytes after the message's end`);
  }

  #take(length: number): number {
    const from = this.#position;
    if (length < 0) throw new ProtocolError('malformed', `a length of ${length}`);
    if (from + length > this.#bytes.length) {
      throw new ProtocolError('truncated', `a field of ${length} bytes where ${this.remaining} are left`);
    }
    this.#position = from + length;
    return from;
  }
}
