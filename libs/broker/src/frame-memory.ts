/** Smaller frames cost little; larger ones would pin too much where they come rarely. */
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
const MAX_SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Memory of large requests, used again when they are answered: new memory for each would keep the garbage collector
 * busy, which looks through everything once 64 MiB have come and gone.
 */
export class FrameMemory {
  readonly #spare: Buffer[] = [];
  #spareBytes = 0;

  /** Memory that is there already, of so many bytes at least. */
  take(frameBytes: number): Buffer | undefined {
    if (frameBytes < LEAST_BYTES) return undefined;
    for (let i = this.#spare.length - 1; i >= 0; i--) {
      if (this.#spare[i]!.length < frameBytes) continue;
      const [found] = this.#spare.splice(i, 1);
      this.#spareBytes -= found!.length;
      return found;
    }
    return undefined;
  }

  /** Nobody looks at that frame any longer, which has its memory for itself if it is large. */
  giveBack(frame: Buffer): void {
    const { buffer } = frame;
    if (frame.length < LEAST_BYTES || buffer.byteLength > MOST_BYTES) return;
    if (this.#spareBytes + buffer.byteLength > MAX_SPARE_BYTES) return;
    this.#spare.push(Buffer.from(buffer));
    this.#spareBytes += buffer.byteLength;
  }
}
