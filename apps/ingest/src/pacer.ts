/** A wait is never longer than this: quiet hours between two ticks, or two days, pass in this time on the clock. */
export const LONGEST_WAIT_MS = 5_000;
/** Who is further behind than this goes on from now instead of rushing after the lost time. */
const LATE_MS = 1_000;
/** Timers are no finer than this: what is due sooner is sent at once. */
const SHORTEST_WAIT_MS = 2;

/**
 * Tells how long a tick has to wait so that event time passes `speed` times faster than the clock. Event time that goes
 * back (files of the same day behind one another) begins anew.
 */
export class Pacer {
  readonly #speed: number;
  readonly #nowMs: () => number;
  /** The clock minus scaled event time: moves whenever a wait is cut or time was lost. */
  #anchorMs: number | undefined;
  #lastEventMs = Number.NEGATIVE_INFINITY;

  /** @param speed 0 never waits */
  constructor(speed: number, nowMs: () => number) {
    this.#speed = speed;
    this.#nowMs = nowMs;
  }

  /** Milliseconds until a tick of this event time may go; 0: now. */
  waitMs(eventTimeMs: number): number {
    if (this.#speed === 0 || eventTimeMs === this.#lastEventMs) return 0;
    const isBack = eventTimeMs < this.#lastEventMs;
    this.#lastEventMs = eventTimeMs;
    const nowMs = this.#nowMs();
    const scaledMs = eventTimeMs / this.#speed;
    if (this.#anchorMs === undefined || isBack) this.#anchorMs = nowMs - scaledMs;
    const waitMs = this.#anchorMs + scaledMs - nowMs;
    if (waitMs < -LATE_MS) this.#anchorMs = nowMs - scaledMs;
    if (waitMs <= LONGEST_WAIT_MS) return waitMs < SHORTEST_WAIT_MS ? 0 : waitMs;
    this.#anchorMs -= waitMs - LONGEST_WAIT_MS;
    return LONGEST_WAIT_MS;
  }
}
