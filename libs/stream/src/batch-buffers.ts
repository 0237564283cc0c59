import type { BatchMemory } from '@tickfold/kafka-protocol';

/** What is kept for batches to come. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

/**
 * Buffers of a producer's batches, used again when those are acknowledged: new ones for each would keep the garbage
 * collector busy, and would lie in none of the processor's caches.
 */
export class BatchBuffers implements BatchMemory {
  readonly #spare: Buffer[] = [];
  #spareBytes = 0;

  take(sizeBytes: number): Buffer {
    const spare = this.#spare.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(sizeBytes);
    this.#spareBytes -= spare.length;
    // Batches grow to one size: what is too small now would be so again.
    return spare.length >= sizeBytes ? spare : Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Nobody looks at those batches any longer. */
  giveBack(batches: Buffer): void {
    const { buffer } = batches;
    if (this.#spareBytes + buffer.byteLength > MAX_SPARE_BYTES) return;
    this.#spare.push(Buffer.from(buffer));
    this.#spareBytes += buffer.byteLength;
  }
}
