/** From here on the copying outweighs what another thread costs. */
const LARGEST_BYTES = 64 * 1024;
/** The system's memory takes a small write in a hundredth of this; one that takes longer met a disk that is behind. */
const MAX_WRITE_MS = 1;
/** So many small writes are left to other threads after one that took long. */
const LEFT_AFTER_A_SLOW_ONE = 64;

/**
 * Which writes are done in place: the system's memory takes a small one faster than another thread is woken for it. Not
 * while the disk is behind, or the thread that serves everybody would wait for it.
 */
export class SmallWrites {
  #left = 0;

  /** Does the work in place, or gives undefined where another thread should. */
  inPlace<T>(sizeBytes: number, work: () => T): T | undefined {
    if (sizeBytes > LARGEST_BYTES) return undefined;
    if (this.#left > 0) {
      this.#left--;
      return undefined;
    }
    const begin = performance.now();
    const result = work();
    if (performance.now() - begin > MAX_WRITE_MS) this.#left = LEFT_AFTER_A_SLOW_ONE;
    return result;
  }
}
