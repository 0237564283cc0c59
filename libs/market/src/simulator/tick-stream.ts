import { type NewYorkDay, newYorkDay, type TradingDate } from '../calendar/new-york-time.ts';
import type { Offer, Quote, Tick, Trade } from '../tick.ts';
import { isRegular, type SimulatedHours } from './hours.ts';
import { intensityAt, tickCounts } from './intensity.ts';
import { OrderBook, targetBidE4 } from './order-book.ts';
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
  saleCondition,
  TRADE_SHARE,
} from './trade-flow.ts';
import { Traders } from './traders.ts';

/** What one simulated session is made from. */
export interface SessionPlan {
  seed: number;
  date: TradingDate;
  symbols: readonly SimulatedSymbol[];
  hours: SimulatedHours;
  peakTicksPerSecond: number;
}

const TRADE_BELOW = TRADE_SHARE * 2 ** 32;
const OFFER_BELOW = (TRADE_SHARE + OFFER_SHARE) * 2 ** 32;

const BLANK = { symbol: '', eventTimeMs: 0, exchange: '', condition: '', sequence: 0 };

/**
 * The ticks of a simulated session, one at a time: `advance()` draws the next one into `tick`. The objects behind it
 * are reused, and text is made by whoever wants it: so a session can be skipped fast.
 */
export class TickStream {
  /** The current tick; overwritten by the next `advance()`. */
  tick: Tick;

  readonly #trade: Trade = { kind: 'trade', ...BLANK, priceE4: 0, size: 0 };
  readonly #quote: Quote = { kind: 'quote', ...BLANK, bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 };
  readonly #offer: Offer = { kind: 'offer', ...BLANK, priceE4: 0, size: 0, sender: '', receivers: [] };
  readonly #symbols: readonly SimulatedSymbol[];
  readonly #hours: SimulatedHours;
  readonly #day: NewYorkDay;
  readonly #counts: Uint32Array;
  readonly #flow: Random;
  readonly #prices: PriceProcess;
  readonly #book: OrderBook;
  readonly #traders: Traders;
  readonly #bySymbol: WeightedChoice;
  #second = -1;
  #secondStartMs = 0;
  #regular = false;
  #intensity = 0;
  #inSecond = 0;
  #doneInSecond = 0;

  constructor(plan: SessionPlan) {
    const { seed, symbols, hours, peakTicksPerSecond } = plan;
    this.tick = this.#trade;
    this.#symbols = symbols;
    this.#hours = hours;
    this.#day = newYorkDay(plan.date);
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
    const index = this.#bySymbol.draw(flow);
    const kind = flow.uint32();
    if (kind < TRADE_BELOW) this.#drawTrade(index);
    else if (kind < OFFER_BELOW) this.#drawOffer(index);
    else this.#drawQuote(index);
    const { tick } = this;
    tick.symbol = this.#symbols[index]!.symbol;
    tick.eventTimeMs = this.#secondStartMs + Math.floor(share * 1000);
    return true;
  }

  #nextSecond(): boolean {
    if (this.#second + 1 >= this.#counts.length) return false;
    this.#second++;
    const secondOfDay = this.#hours.start + this.#second;
    this.#secondStartMs = this.#day.toUtcMs(secondOfDay * 1000);
    this.#inSecond = this.#counts[this.#second]!;
    this.#doneInSecond = 0;
    this.#intensity = intensityAt(secondOfDay, this.#hours);
    this.#regular = isRegular(secondOfDay, this.#hours);
    this.#prices.step(1);
    return true;
  }

  #drawTrade(index: number): void {
    const symbol = this.#symbols[index]!;
    const midE4 = this.#prices.midE4[index]!;
    const trade = this.#trade;
    this.tick = trade;
    trade.size = drawTradeSize(symbol, this.#intensity, this.#flow);
    trade.condition = saleCondition(trade.size, this.#regular);
    if (this.#flow.uniform() < OFF_EXCHANGE_SHARE) {
      trade.exchange = OFF_EXCHANGE;
      trade.priceE4 = targetBidE4(midE4, symbol.spreadE4) + symbol.spreadE4 / 2;
      return;
    }
    const draw = this.#flow.uint32();
    const number = draw % QUOTING_EXCHANGES;
    trade.exchange = quotingExchange(index, number);
    trade.priceE4 = this.#book.touchE4(index, number, draw > 0x7fff_ffff, midE4);
  }

  #drawQuote(index: number): void {
    const quote = this.#quote;
    this.tick = quote;
    const { exchange, isBid, priceE4 } = this.#book.requote(index, this.#prices.midE4[index]!, this.#flow);
    const size = 100 * (1 + this.#flow.below(12));
    quote.exchange = quotingExchange(index, exchange);
    quote.bidPriceE4 = isBid ? priceE4 : 0;
    quote.bidSize = isBid ? size : 0;
    quote.askPriceE4 = isBid ? 0 : priceE4;
    quote.askSize = isBid ? 0 : size;
  }

  #drawOffer(index: number): void {
    const { spreadE4 } = this.#symbols[index]!;
    const offer = this.#offer;
    this.tick = offer;
    offer.exchange = OFF_EXCHANGE;
    offer.priceE4 = targetBidE4(this.#prices.midE4[index]!, spreadE4) + this.#flow.below(4) * spreadE4;
    offer.size = 100 * (1 + this.#flow.below(40));
    offer.sender = this.#traders.drawSender(this.#flow);
    this.#traders.drawReceivers(this.#flow, offer.sender, offer.receivers);
  }
}
