import { intensityAt, type SimulatedHours, tickCounts } from './intensity.ts';
import { OrderBook, targetBid } from './order-book.ts';
import { PriceProcess } from './price-process.ts';
import { Random, WeightedChoice } from './random.ts';
import type { SimulatedSymbol } from './symbols.ts';
import {
  drawTradeSize,
  OFF_EXCHANGE,
  OFF_EXCHANGE_SHARE,
  OFFER_SHARE,
  QUOTING_EXCHANGES,
  quotingExchange,
  TRADE_SHARE,
} from './trade-flow.ts';
import { Traders } from './traders.ts';

export const TRADE = 0;
export const QUOTE = 1;
export const OFFER = 2;

const TRADE_BELOW = TRADE_SHARE * 2 ** 32;
const OFFER_BELOW = (TRADE_SHARE + OFFER_SHARE) * 2 ** 32;

/**
 * The ticks of a simulated session as numbers, one at a time: `advance()` draws the next tick into the fields of this
 * object, which it reuses. Text is somebody else's work, so that ticks can be skipped fast.
 */
export class TickStream {
  kind: typeof TRADE | typeof QUOTE | typeof OFFER = TRADE;
  symbolIndex = 0;
  /** Local milliseconds since midnight. */
  localMs = 0;
  /** Letter code. */
  exchange = 0;
  /** Trades and offers: the price. Quotes: the price of the side that `isBid` names. */
  priceE4 = 0;
  size = 0;
  isBid = false;
  sender = 0;
  readonly receivers = new Uint16Array(10);
  receiverCount = 0;

  readonly #symbols: readonly SimulatedSymbol[];
  readonly #hours: SimulatedHours;
  readonly #counts: Uint32Array;
  readonly #flow: Random;
  readonly #prices: PriceProcess;
  readonly #book: OrderBook;
  readonly #traders: Traders;
  readonly #bySymbol: WeightedChoice;
  #second = -1;
  #intensity = 0;
  #inSecond = 0;
  #doneInSecond = 0;

  constructor(seed: number, symbols: readonly SimulatedSymbol[], hours: SimulatedHours, peakTicksPerSecond: number) {
    this.#symbols = symbols;
    this.#hours = hours;
    this.#counts = tickCounts(hours, peakTicksPerSecond);
    this.#flow = new Random(seed, 'flow');
    this.#prices = new PriceProcess(symbols, new Random(seed, 'prices'));
    this.#book = new OrderBook(symbols);
    this.#traders = new Traders(seed);
    this.#bySymbol = new WeightedChoice(symbols.map((symbol) => symbol.activity));
  }

  /** Draws the next tick. Returns false at the end of the session. */
  advance(): boolean {
    while (this.#doneInSecond === this.#inSecond) {
      if (!this.#nextSecond()) return false;
    }
    const flow = this.#flow;
    const share = (this.#doneInSecond + flow.uniform()) / this.#inSecond; // grows within the second, so times do
    this.#doneInSecond++;
    this.localMs = (this.#hours.start + this.#second) * 1000 + Math.floor(share * 1000);
    this.symbolIndex = this.#bySymbol.draw(flow);
    const kind = flow.uint32();
    if (kind < TRADE_BELOW) this.#drawTrade();
    else if (kind < OFFER_BELOW) this.#drawOffer();
    else this.#drawQuote();
    return true;
  }

  #nextSecond(): boolean {
    if (this.#second + 1 >= this.#counts.length) return false;
    this.#second++;
    this.#inSecond = this.#counts[this.#second]!;
    this.#doneInSecond = 0;
    this.#intensity = intensityAt(this.#hours.start + this.#second, this.#hours);
    this.#prices.step(1);
    return true;
  }

  #drawTrade(): void {
    const index = this.symbolIndex;
    const symbol = this.#symbols[index]!;
    const midE4 = this.#prices.midE4[index]!;
    this.kind = TRADE;
    this.size = drawTradeSize(symbol, this.#intensity, this.#flow);
    if (this.#flow.uniform() < OFF_EXCHANGE_SHARE) {
      this.exchange = OFF_EXCHANGE;
      this.priceE4 = targetBid(midE4, symbol.spreadE4) + symbol.spreadE4 / 2;
      return;
    }
    const draw = this.#flow.uint32();
    const number = draw % QUOTING_EXCHANGES;
    this.exchange = quotingExchange(index, number);
    this.priceE4 = this.#book.touchE4(index, number, draw > 0x7fff_ffff, midE4);
  }

  #drawQuote(): void {
    const index = this.symbolIndex;
    this.kind = QUOTE;
    this.#book.requote(index, this.#prices.midE4[index]!, this.#flow);
    this.exchange = quotingExchange(index, this.#book.exchange);
    this.isBid = this.#book.isBid;
    this.priceE4 = this.#book.priceE4;
    this.size = 100 * (1 + this.#flow.below(12));
  }

  #drawOffer(): void {
    const index = this.symbolIndex;
    const { spreadE4 } = this.#symbols[index]!;
    this.kind = OFFER;
    this.exchange = OFF_EXCHANGE;
    this.priceE4 = targetBid(this.#prices.midE4[index]!, spreadE4) + this.#flow.below(4) * spreadE4;
    this.size = 100 * (1 + this.#flow.below(40));
    this.sender = this.#traders.drawSender(this.#flow);
    this.receiverCount = this.#traders.drawReceivers(this.#flow, this.sender, this.receivers);
  }
}
