import type { Random } from './random.ts';
import type { SimulatedSymbol } from './symbols.ts';
import { QUOTING_EXCHANGES } from './trade-flow.ts';

const CENT = 100;
const BID = 0;
const ASK = 1;
const SIDES = 2 * QUOTING_EXCHANGES;
const NO_SLOT = -1;
/** How often a stale side is renewed before any other. */
const RENEW_STALE_OF_256 = 230;

interface RenewedSide {
  /** Which of the symbol's quoting exchanges. */
  exchange: number;
  isBid: boolean;
  priceE4: number;
}

/**
 * Best bid and ask of each exchange for each symbol, as a reader of the one-sided quotes knows them. On one exchange
 * the bid is always below the ask. Over exchanges a stale side may cross another for a moment, as in reality, until
 * it is renewed, which is soon.
 */
export class OrderBook {
  /** 1/10,000 USD at [symbol * 6 + exchange * 2 + side]; 0 until first quoted. */
  readonly #pricesE4: Uint32Array;
  readonly #symbols: readonly SimulatedSymbol[];
  readonly #renewed: RenewedSide = { exchange: 0, isBid: true, priceE4: 0 };

  constructor(symbols: readonly SimulatedSymbol[]) {
    this.#symbols = symbols;
    this.#pricesE4 = new Uint32Array(symbols.length * SIDES);
  }

  /** Renews one side of one exchange around the mid price. The answer is one object, overwritten by the next call. */
  requote(index: number, midE4: number, random: Random): Readonly<RenewedSide> {
    const { spreadE4 } = this.#symbols[index]!;
    const bidE4 = targetBidE4(midE4, spreadE4);
    const askE4 = bidE4 + spreadE4;
    const draw = random.uint32();
    const stale = (draw & 0xff) < RENEW_STALE_OF_256 ? this.#stalestSlot(index, bidE4, askE4) : NO_SLOT;
    const slot = stale === NO_SLOT ? Math.floor(((draw >>> 8) / 2 ** 24) * SIDES) : stale;
    const away = CENT * ((draw >>> 4) % 3 === 0 ? 1 : 0);
    const first = index * SIDES + (slot & ~1);
    const newBidE4 = Math.max(CENT, bidE4 - away);
    const newAskE4 = askE4 + away;
    const standingBidE4 = this.#pricesE4[first + BID]!;
    const standingAskE4 = this.#pricesE4[first + ASK]!;
    // A side that would lock or cross its own exchange waits: the other side must make room first.
    const isBid =
      (slot & 1) === BID
        ? standingAskE4 === 0 || newBidE4 < standingAskE4
        : standingBidE4 !== 0 && newAskE4 <= standingBidE4;
    const priceE4 = isBid ? newBidE4 : newAskE4;
    this.#pricesE4[first + (isBid ? BID : ASK)] = priceE4;
    const renewed = this.#renewed;
    renewed.exchange = slot >> 1;
    renewed.isBid = isBid;
    renewed.priceE4 = priceE4;
    return renewed;
  }

  /** Price at which a trade on this exchange happens: its standing quote if that is near the mid, else the target. */
  touchE4(index: number, exchange: number, buyerInitiated: boolean, midE4: number): number {
    const { spreadE4 } = this.#symbols[index]!;
    const bidE4 = targetBidE4(midE4, spreadE4);
    const targetE4 = buyerInitiated ? bidE4 + spreadE4 : bidE4;
    const standingE4 = this.#pricesE4[index * SIDES + 2 * exchange + (buyerInitiated ? ASK : BID)]!;
    return Math.abs(standingE4 - targetE4) <= spreadE4 ? standingE4 : targetE4;
  }

  /** The side that lies farthest on the wrong side of where it should be, and so may cross another exchange. */
  #stalestSlot(index: number, bidE4: number, askE4: number): number {
    let stalest = NO_SLOT;
    let distance = 0;
    for (let slot = 0; slot < SIDES; slot++) {
      const priceE4 = this.#pricesE4[index * SIDES + slot]!;
      const inside = (slot & 1) === BID ? priceE4 - bidE4 : askE4 - priceE4;
      if (inside > distance) {
        distance = inside;
        stalest = slot;
      }
    }
    return stalest;
  }
}

/** The bid, in whole cents, that centres the spread on the mid price. */
export function targetBidE4(midE4: number, spreadE4: number): number {
  return Math.max(CENT, CENT * Math.round((midE4 - spreadE4 / 2) / CENT));
}
