import type { Random } from './random.ts';
import type { SimulatedSymbol } from './symbols.ts';

/** Seconds of a regular session, the unit in which volatilities are stated. */
const SESSION_SECONDS = 23_400;
/** Standard deviation of the common market factor over one session. */
const MARKET_VOLATILITY = 0.011;
/** A deviation from the level halves in about this time: long enough to trade on, short enough to end. */
const REVERSION_HALF_LIFE_SECONDS = 240;
const REVERSION_PER_SECOND = Math.LN2 / REVERSION_HALF_LIFE_SECONDS;
/** Share of its distance from the anchor that a level loses in one session: keeps weeks of prices in one region. */
const ANCHOR_PULL_PER_SESSION = 0.15;
const BURSTS_PER_SESSION = 3;
const BURST_SECONDS = { min: 120, max: 480 };
/** Total move of a burst, as a multiple of the symbol's daily volatility. */
const BURST_MOVE = { min: 0.25, max: 0.7 };

/**
 * Correlated prices of all symbols, moved in steps of time.
 *
 * price = open price * level * (1 + deviation)
 *
 * The level takes the symbol's share of one market factor, a random walk of its own, and now and then a burst of
 * momentum; it is pulled softly back to an anchor of 1. The deviation is an Ornstein-Uhlenbeck process (Euler scheme)
 * around 0: it gives a mean-reverting model something to find, and the bursts make it pay.
 */
export class PriceProcess {
  /** Current mid price per symbol index. */
  readonly midE4: Float64Array;
  readonly #symbols: readonly SimulatedSymbol[];
  readonly #random: Random;
  readonly #level: Float64Array;
  readonly #deviation: Float64Array;
  readonly #burstSecondsLeft: Float64Array;
  readonly #burstPerSecond: Float64Array;

  constructor(symbols: readonly SimulatedSymbol[], random: Random) {
    this.#symbols = symbols;
    this.#random = random;
    this.#level = new Float64Array(symbols.length).fill(1);
    this.#deviation = new Float64Array(symbols.length);
    this.#burstSecondsLeft = new Float64Array(symbols.length);
    this.#burstPerSecond = new Float64Array(symbols.length);
    this.midE4 = Float64Array.from(symbols, (symbol) => symbol.openPriceE4);
  }

  /** Moves every price on by so many seconds of trading; more than a minute at once is too coarse for the deviation. */
  step(seconds: number): void {
    const random = this.#random;
    const share = seconds / SESSION_SECONDS;
    const rootOfShare = Math.sqrt(share);
    const market = MARKET_VOLATILITY * rootOfShare * random.normal();
    const decay = 1 - REVERSION_PER_SECOND * seconds;
    const kick = Math.sqrt(1 - decay * decay); // keeps the stated amplitude whatever the step
    for (let index = 0; index < this.#symbols.length; index++) {
      const symbol = this.#symbols[index]!;
      const own = symbol.dailyVolatility * rootOfShare * random.normal();
      const pull = ANCHOR_PULL_PER_SESSION * share * (1 - this.#level[index]!);
      const burst = this.#burst(index, symbol, seconds, share);
      const level = this.#level[index]! * (1 + symbol.beta * market + own + burst) + pull;
      const deviation = this.#deviation[index]! * decay + symbol.reversionAmplitude * kick * random.normal();
      this.#level[index] = level;
      this.#deviation[index] = deviation;
      this.midE4[index] = symbol.openPriceE4 * level * (1 + deviation);
    }
  }

  /** News between two sessions: every level jumps by a fraction of its daily volatility. */
  overnight(): void {
    for (let index = 0; index < this.#symbols.length; index++) {
      const symbol = this.#symbols[index]!;
      this.#level[index]! *= 1 + 0.3 * symbol.dailyVolatility * this.#random.normal();
      this.#deviation[index] = 0;
      this.#burstSecondsLeft[index] = 0;
      this.midE4[index] = symbol.openPriceE4 * this.#level[index]!;
    }
  }

  /** The move, as a fraction, that a burst of momentum adds in this step. */
  #burst(index: number, symbol: SimulatedSymbol, seconds: number, share: number): number {
    const random = this.#random;
    const left = this.#burstSecondsLeft[index]!;
    if (left > 0) {
      this.#burstSecondsLeft[index] = left - seconds;
      return this.#burstPerSecond[index]! * Math.min(seconds, left);
    }
    const draw = random.uniform();
    if (draw >= BURSTS_PER_SESSION * share) return 0;
    const duration = BURST_SECONDS.min + (BURST_SECONDS.max - BURST_SECONDS.min) * random.uniform();
    const move = symbol.dailyVolatility * (BURST_MOVE.min + (BURST_MOVE.max - BURST_MOVE.min) * random.uniform());
    const direction = random.uint32() & 1 ? 1 : -1;
    this.#burstSecondsLeft[index] = duration;
    this.#burstPerSecond[index] = (direction * move) / duration;
    return 0;
  }
}
