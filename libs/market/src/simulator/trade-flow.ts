import type { Random } from './random.ts';
import type { SimulatedSymbol } from './symbols.ts';

/** Shares of the kinds among all ticks; what is neither trade nor offer is a quote. */
export const TRADE_SHARE = 0.22;
export const OFFER_SHARE = 0.08;

/** Letters of the Daily TAQ specification: NYSE, Arca, Nasdaq, Cboe BZX, Cboe EDGX, Cboe BYX. */
const EXCHANGES = 'NPQZKY';
/** FINRA: trades reported off exchange. */
export const OFF_EXCHANGE = 'D';
export const OFF_EXCHANGE_SHARE = 0.3;

/** Exchanges that quote one symbol. Three, so that each side is renewed every few seconds. */
export const QUOTING_EXCHANGES = 3;

/** The n-th exchange that quotes the symbol of this rank. */
export function quotingExchange(rank: number, n: number): string {
  return EXCHANGES[(rank + 2 * n) % EXCHANGES.length]!;
}

const ODD_LOT_BELOW = 100;

/** `@` regular sale, `T` outside of the regular session, `I` odd lot, each at its own place of the four. */
export function saleCondition(size: number, regular: boolean): string {
  if (size < ODD_LOT_BELOW) return regular ? '@  I' : '@ TI';
  return regular ? '@' : '@ T';
}

/**
 * Shares of one trade: odd lots, round lots with a long tail, now and then a block; larger in busy hours, so that a
 * size must be judged against its time of day.
 */
export function drawTradeSize(symbol: SimulatedSymbol, intensity: number, random: Random): number {
  const kind = random.uniform();
  if (kind < 0.15) return 1 + random.below(ODD_LOT_BELOW - 1);
  const tail = 1 / (random.uniform() + 0.1) - 0.9; // 0.01 to 9.1, mean 1.5
  const lots = 1 + Math.floor(symbol.meanLots * (0.5 + 0.5 * intensity) * tail * 0.6);
  return 100 * (kind > 0.995 ? 20 * lots : lots);
}
