/** Work that appends something, and what tells its caller that it cannot be done. */
interface Turn {
  run: () => void;
  fail: (error: unknown) => void;
}

/** Runs work in the order of calls, each piece when those before it have gone far enough. */
export class Turns {
  readonly #mayRun: () => boolean;
  #waiting: Turn[] = [];

  /** @param mayRun false while work has to wait; `go` is called when that may have changed */
  constructor(mayRun: () => boolean) {
    this.#mayRun = mayRun;
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.length;
  }

  /** @param fail called when `run` throws, and by `failAll` */
  take(run: () => void, fail: (error: unknown) => void): void {
    const turn = { run, fail };
    if (this.#waiting.length > 0 || !this.#mayRun()) this.#waiting.push(turn);
    else runTurn(turn);
  }

  /** For work whose turn came too early: it is the next one to have a turn. */
  takeAgain(run: () => void, fail: (error: unknown) => void): void {
    this.#waiting.unshift({ run, fail });
  }

  /** Runs what waits, for as long as it may. */
  go(): void {
    while (this.#waiting.length > 0 && this.#mayRun()) runTurn(this.#waiting.shift()!);
  }

  /** Runs what waits, whether or not it may. */
  runAll(): void {
    while (this.#waiting.length > 0) runTurn(this.#waiting.shift()!);
  }

  failAll(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { fail } of waiting) fail(error);
  }
}

function runTurn({ run, fail }: Turn): void {
  try {
    run();
  } catch (error) {
    fail(error);
  }
}
