/** Keeps two things apart: the ends of transactions, which come into one volume after the other, and cuts through volumes. */
export class EndingGate {
  readonly #endings = new Set<Promise<unknown>>();
  #cutCount = 0;
  #lastCut: Promise<unknown> = Promise.resolve();

  /** Begins at once, or behind the cuts that were asked for. */
  async end<T>(ending: () => Promise<T>): Promise<T> {
    while (this.#cutCount > 0) await this.#lastCut;
    const underWay = ending();
    this.#endings.add(underWay);
    try {
      return await underWay;
    } finally {
      this.#endings.delete(underWay);
    }
  }

  /** Does the work when every ending that has begun is through, or has failed, and before any other begins. */
  cut<T>(work: () => T): Promise<T> {
    this.#cutCount++;
    const made = this.#lastCut.then(async () => {
      try {
        await Promise.allSettled(this.#endings);
        return work();
      } finally {
        this.#cutCount--;
      }
    });
    this.#lastCut = made.catch(() => undefined);
    return made;
  }
}
