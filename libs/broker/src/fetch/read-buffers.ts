/** Holds what most clients ask for at once, 1 MiB of a partition, with what lies between the batches in a file. */
const BUFFER_BYTES = 1024 * 1024 + 64 * 1024;
const MOST_BYTES_READ = 1024 * 1024;
const MAX_SPARE = 12;

/**
 * Buffers that answers are read into, used again when an answer is sent: new ones for each would keep the garbage
 * collector busy, which looks through everything once 64 MiB have come and gone.
 */
export class ReadBuffers {
  readonly #spare: Buffer[] = [];

  /** One for a read of so many bytes; undefined for a read that is too large. */
  take(maxBytes: number): Buffer | undefined {
    if (maxBytes > MOST_BYTES_READ) return undefined;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Nobody looks at it any longer. One that is not given back is the garbage collector's. */
  giveBack(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}
