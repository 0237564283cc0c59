const FIRST_BUFFER_BYTES = 512;
const LARGEST_BUFFER_BYTES = 64 * 1024;
/** Byte fields from this size on are passed on by reference: a copy would cost more than one more chunk, a microsecond. */
const BY_REFERENCE_BYTES = 8 * 1024;

/** Writes Kafka's primitives into chunks, so that record batches travel from the log to the socket without a copy. */
export class Writer {
  readonly #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  #start = 0;
  #position = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#chunkBytes + this.#position - this.#start;
  }

  int8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
  }

  int64(value: bigint): void {
    const at = this.#reserve(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  float64(value: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  uvarint(value: number): void {
    let left = value;
    while (left >= 0x80) {
      this.#byte((left % 0x80) + 0x80);
      left = Math.floor(left / 0x80);
    }
    this.#byte(left);
  }

  text(value: string, byteLength: number): void {
    const at = this.#reserve(byteLength);
    this.#buffer.write(value, at, byteLength, 'utf8');
  }

  /** Large bytes are kept by reference: they may not change before they are sent. */
  bytes(value: Uint8Array): void {
    if (value.length < BY_REFERENCE_BYTES) {
      const at = this.#reserve(value.length);
      this.#buffer.set(value, at);
      return;
    }
    this.#cut();
    this.#push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }

  /** Everything written, in order. The writer is not used after this. */
  finish(): Buffer[] {
    this.#cut();
    return this.#chunks;
  }

  #byte(value: number): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  /**
   * Room for `length` bytes; returns where they go. Call it before `#buffer` is looked at, which it may replace. A full buffer becomes a chunk, so nothing is ever moved.
   */
  #reserve(length: number): number {
    if (this.#position + length > this.#buffer.length) {
      this.#cut();
      this.#buffer = Buffer.allocUnsafe(Math.max(length, Math.min(this.#buffer.length * 4, LARGEST_BUFFER_BYTES)));
      this.#start = 0;
      this.#position = 0;
    }
    const at = this.#position;
    this.#position += length;
    return at;
  }

  #cut(): void {
    if (this.#position > this.#start) this.#push(this.#buffer.subarray(this.#start, this.#position));
    this.#start = this.#position;
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
  }
}
