/** Calls whose answers nobody waits for yet. What goes wrong in one of them comes out at the next look. */
export class UnderWay {
  readonly #promises = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  add(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#promises.delete(watched));
    this.#promises.add(watched);
  }

  /** @throws whatever went wrong first */
  look(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async settled(): Promise<void> {
    while (this.#promises.size > 0) await Promise.all(this.#promises);
    this.look();
  }
}
