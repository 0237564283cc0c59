import { type RetainedJournal, Retention } from './retention.ts';

/** What is done to a journal beside its appends, one round at a time. */
export class Upkeep {
  readonly #journal: RetainedJournal;
  readonly #retention: Retention;
  readonly #onFailed: (reason: string) => void;
  #rounds: Promise<void> = Promise.resolve();
  #lastFailure: string | undefined;

  /** @param onFailed told why a round failed, unless the one before failed for the same reason */
  constructor(journal: RetainedJournal, clock: () => number, onFailed: (reason: string) => void) {
    this.#journal = journal;
    this.#retention = new Retention(journal, clock);
    this.#onFailed = onFailed;
  }

  /** A whole round, begun now or after the one that is under way. */
  run(): Promise<void> {
    this.#rounds = this.#rounds.then(() => this.#round());
    return this.#rounds;
  }

  /** Resolves when no round is under way. */
  idle(): Promise<void> {
    return this.#rounds;
  }

  async #round(): Promise<void> {
    if (this.#journal.isEnding) return;
    try {
      await this.#retention.run();
      this.#lastFailure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // A journal that ends interrupts its upkeep; that is no failure.
      if (!this.#journal.isEnding && reason !== this.#lastFailure) this.#onFailed(reason);
      this.#lastFailure = reason;
    }
  }
}
