/** Does a piece of work again and again, never twice at a time, without keeping the process alive for it. */
export class Maintenance {
  readonly #intervalMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #isStopped = false;

  /** @param intervalMs 0: only by `run` */
  constructor(intervalMs: number, work: () => Promise<void>) {
    this.#intervalMs = intervalMs;
    this.#work = work;
  }

  start(): void {
    if (this.#intervalMs === 0 || this.#isStopped) return;
    this.#timer = setInterval(() => {
      if (this.#underWay === undefined) void this.run();
    }, this.#intervalMs).unref();
  }

  /** A whole round, begun now or after the one that is under way. */
  run(): Promise<void> {
    const before = this.#underWay ?? Promise.resolve();
    const round = before
      .then(() => (this.#isStopped ? undefined : this.#work()))
      .finally(() => {
        if (this.#underWay === round) this.#underWay = undefined;
      });
    this.#underWay = round;
    return round;
  }

  /** Begins no more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#underWay;
  }
}
