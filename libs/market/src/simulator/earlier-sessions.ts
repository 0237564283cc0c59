import { newYorkDay, type TradingDate } from '../calendar/new-york-time.ts';
import { tradingDaysBefore } from '../calendar/sessions.ts';
import type { Trade } from '../tick.ts';
import { type SimulatorOptions, simulatorDefaults } from './defaults.ts';
import { isRegular, type SimulatedHours, simulatedHours } from './hours.ts';
import { intensityAt, tickCounts } from './intensity.ts';
import { targetBidE4 } from './order-book.ts';
import { PriceProcess } from './price-process.ts';
import { Random, WeightedChoice } from './random.ts';
import { type SimulatedSymbol, simulatedSymbols } from './symbols.ts';
import {
  drawTradeSize,
  OFF_EXCHANGE,
  OFF_EXCHANGE_SHARE,
  QUOTING_EXCHANGES,
  quotingExchange,
  saleCondition,
  TRADE_SHARE,
} from './trade-flow.ts';

/** Seconds between two stored prices; trades between them lie on a straight line. */
const PATH_STEP_SECONDS = 60;

export interface EarlierSessionsOptions extends SimulatorOptions {
  /** How many sessions before the one that is simulated live. */
  sessions?: number;
}

export interface EarlierSessions {
  /** Oldest first; the last is the trading day before the live session. */
  readonly dates: readonly TradingDate[];
  readonly symbols: readonly SimulatedSymbol[];
  /** All trades of one session in order of time. The object is reused: read it before asking for the next. */
  trades(date: TradingDate): Generator<Readonly<Trade>, void, undefined>;
}

/**
 * The past of a simulated session: trades only, of the same symbols, by the same price process, sizes and U shape as
 * live, and scaled so that each symbol arrives at the price with which the live session begins.
 */
export function createEarlierSessions(options: EarlierSessionsOptions = {}): EarlierSessions {
  const { seed, date, symbolCount, peakTicksPerSecond, startAt, sessions } = {
    ...simulatorDefaults,
    sessions: 20,
    ...options,
  };
  const symbols = simulatedSymbols(seed, symbolCount);
  const dates = tradingDaysBefore(date, sessions);
  const bySymbol = new WeightedChoice(symbols.map((symbol) => symbol.activity));
  const hoursOf = new Map(dates.map((day) => [day, simulatedHours(day, startAt)]));
  const paths = pricePaths(seed, symbols, hoursOf);

  function* trades(session: TradingDate): Generator<Readonly<Trade>, void, undefined> {
    const hours = hoursOf.get(session);
    const midsE4 = paths.get(session);
    if (hours === undefined || midsE4 === undefined)
      throw new RangeError(`${session} is not among ${dates.join(', ')}.`);
    const random = new Random(seed, 'earlier trades', session);
    const day = newYorkDay(session);
    const counts = tickCounts(hours, peakTicksPerSecond);
    const tradesPerTick = TRADE_SHARE * (0.85 + 0.3 * random.uniform()); // no two days are equally busy
    const trade: Trade = {
      kind: 'trade',
      symbol: '',
      eventTimeMs: 0,
      exchange: '',
      priceE4: 0,
      size: 0,
      condition: '',
      sequence: 0,
    };
    let owed = 0;
    for (let second = 0; second < counts.length; second++) {
      owed += counts[second]! * tradesPerTick;
      const inSecond = Math.floor(owed);
      owed -= inSecond;
      const secondOfDay = hours.start + second;
      const regular = isRegular(secondOfDay, hours);
      const intensity = intensityAt(secondOfDay, hours);
      const secondStartMs = day.toUtcMs(secondOfDay * 1000);
      for (let n = 0; n < inSecond; n++) {
        const index = bySymbol.draw(random);
        const symbol = symbols[index]!;
        trade.symbol = symbol.symbol;
        trade.eventTimeMs = secondStartMs + Math.floor(((n + random.uniform()) / inSecond) * 1000);
        trade.size = drawTradeSize(symbol, intensity, random);
        trade.condition = saleCondition(trade.size, regular);
        const bidE4 = targetBidE4(midAt(midsE4, symbols.length, index, second), symbol.spreadE4);
        if (random.uniform() < OFF_EXCHANGE_SHARE) {
          trade.exchange = OFF_EXCHANGE;
          trade.priceE4 = bidE4 + symbol.spreadE4 / 2;
        } else {
          const draw = random.uint32();
          trade.exchange = quotingExchange(index, draw % QUOTING_EXCHANGES);
          trade.priceE4 = draw > 0x7fff_ffff ? bidE4 + symbol.spreadE4 : bidE4;
        }
        trade.sequence++;
        yield trade;
      }
    }
  }

  return { dates, symbols, trades };
}

/** Mid prices of every session at [step * symbols + symbol], step 0 being its start. */
function pricePaths(
  seed: number,
  symbols: readonly SimulatedSymbol[],
  hoursOf: ReadonlyMap<TradingDate, SimulatedHours>,
): Map<TradingDate, Float64Array> {
  const prices = new PriceProcess(symbols, new Random(seed, 'earlier prices'));
  const paths = new Map<TradingDate, Float64Array>();
  for (const [date, hours] of hoursOf) {
    const steps = Math.ceil((hours.end - hours.start) / PATH_STEP_SECONDS);
    const path = new Float64Array((steps + 1) * symbols.length);
    path.set(prices.midE4);
    for (let step = 1; step <= steps; step++) {
      prices.step(PATH_STEP_SECONDS);
      path.set(prices.midE4, step * symbols.length);
    }
    prices.overnight();
    paths.set(date, path);
  }
  // Only ratios matter to the process, so a constant factor a symbol lets the last night end at the live open.
  const factors = symbols.map((symbol, index) => symbol.openPriceE4 / prices.midE4[index]!);
  for (const path of paths.values()) {
    for (let at = 0; at < path.length; at++) path[at]! *= factors[at % symbols.length]!;
  }
  return paths;
}

function midAt(midsE4: Float64Array, symbolCount: number, index: number, second: number): number {
  const step = Math.floor(second / PATH_STEP_SECONDS);
  const share = second / PATH_STEP_SECONDS - step;
  const before = midsE4[step * symbolCount + index]!;
  return before + share * (midsE4[(step + 1) * symbolCount + index]! - before);
}
