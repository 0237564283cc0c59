const HALF_HOUR_MS = 1_800_000;

/** How many trades were of each size or smaller. */
interface SizeCounts {
  /** Ascending and distinct. */
  sizes: number[];
  /** Trades of the same index's size or smaller. */
  cumulative: number[];
}

/** Sizes of a symbol's past trades, whole and by half-hour of the New York day. */
export class SizeDistribution {
  readonly #byHalfHour = new Map<number, SizeCounts>();
  readonly #perSize = new Map<number, number>();
  #wholeDay: SizeCounts | undefined;

  /** Rows of one half-hour come with growing size. */
  add(halfHour: number, size: number, trades: number): void {
    let counts = this.#byHalfHour.get(halfHour);
    if (counts === undefined) {
      counts = { sizes: [], cumulative: [] };
      this.#byHalfHour.set(halfHour, counts);
    }
    append(counts, size, trades);
    this.#perSize.set(size, (this.#perSize.get(size) ?? 0) + trades);
    this.#wholeDay = undefined;
  }

  /**
   * Percentage, 0 to 100, of past trades at this time of day that were of this size or smaller. Where none happened in
   * this half-hour, of all past trades; null where there are none at all.
   *
   * @param msOfDay milliseconds since New York midnight
   */
  percentile(size: number, msOfDay: number): number | null {
    const counts = this.#byHalfHour.get(Math.floor(msOfDay / HALF_HOUR_MS)) ?? this.#allDay();
    const total = counts.cumulative.at(-1);
    if (total === undefined) return null;
    const found = lastAtMost(counts.sizes, size);
    return found < 0 ? 0 : (100 * counts.cumulative[found]!) / total;
  }

  #allDay(): SizeCounts {
    if (this.#wholeDay === undefined) {
      this.#wholeDay = { sizes: [], cumulative: [] };
      const ascending = [...this.#perSize].sort(([left], [right]) => left - right);
      for (const [size, trades] of ascending) append(this.#wholeDay, size, trades);
    }
    return this.#wholeDay;
  }
}

function append(counts: SizeCounts, size: number, trades: number): void {
  counts.sizes.push(size);
  counts.cumulative.push((counts.cumulative.at(-1) ?? 0) + trades);
}

/** Index of the last value that is not above the limit, -1 if all are. */
function lastAtMost(ascending: readonly number[], limit: number): number {
  let from = 0;
  let to = ascending.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! <= limit) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}
