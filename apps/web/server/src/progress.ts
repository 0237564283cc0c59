import type { Watermark } from '@tickfold/stream';

/** Records per second out of a growing count, over a window of recent samples. */
export class Rate {
  readonly #windowMs: number;
  #samples: { atMs: number; count: bigint }[] = [];

  constructor(windowMs = 5_000) {
    this.#windowMs = windowMs;
  }

  /** Samples older than the window go, except the one that the window begins with. */
  sample(atMs: number, count: bigint): void {
    const last = this.#samples.at(-1);
    if (last && count < last.count) this.#samples = []; // the topic was made anew
    this.#samples.push({ atMs, count });
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= atMs - this.#windowMs) this.#samples.shift();
  }

  /** Null until there are two samples. */
  perSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs === first.atMs) return null;
    return (Number(last.count - first.count) * 1_000) / (last.atMs - first.atMs);
  }

  forget(): void {
    this.#samples = [];
  }
}

/** Records ever appended to a topic. */
export function countOf(watermarks: readonly Watermark[]): bigint {
  return watermarks.reduce<bigint>((total, { high }) => total + high, 0n);
}

/**
 * Records that a reader still has before it. Null (unknown) when it has no position on a partition that holds records:
 * no position is not the same as no lag. A partition that never held any is not behind.
 */
export function lagOf(positions: ReadonlyMap<number, bigint>, watermarks: readonly Watermark[]): number | null {
  if (watermarks.length === 0) return null;
  let lag = 0n;
  for (const { partition, logStart, high } of watermarks) {
    const position = positions.get(partition);
    if (position === undefined) {
      if (high > 0n) return null;
      continue;
    }
    const next = position < logStart ? logStart : position; // what retention took is not waited for
    if (high > next) lag += high - next;
  }
  return Number(lag);
}
