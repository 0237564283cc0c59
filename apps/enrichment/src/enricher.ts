import type { SymbolReference } from '@tickfold/history';
import { addDays, type EnrichedTick, newYorkClock, newYorkToUtcMs, type Tick } from '@tickfold/market';

/**
 * Names what `enrich` computes. To be raised with every change after which the same tick and the same history give other
 * features: snapshots pin it, and a difference between two of them is then known to lie here.
 */
export const FEATURES_VERSION = 'features-1';

const BASIS_POINTS = 10_000;

/** What history knows of each symbol before a session. */
export type References = ReadonlyMap<string, SymbolReference>;

/** Joins ticks with what history knows of their symbols. See docs/features.md for each feature. */
export interface Enricher {
  createState(): EnrichmentState;
  /** Counts a trade into its symbol's volume of the day, in `state`; everything else is computed from the tick. */
  enrich(state: EnrichmentState, tick: Tick, source: string): EnrichedTick;
  hasHistory(symbol: string): boolean;
}

/** State of one partition. Volumes start from zero with each New York day. */
export interface EnrichmentState {
  dayStartMs: number;
  dayEndMs: number;
  volumeToday: Map<string, number>;
}

export function createEnricher(references: References): Enricher {
  return {
    createState: () => ({ dayStartMs: 0, dayEndMs: 0, volumeToday: new Map() }),
    hasHistory: (symbol) => references.has(symbol),
    enrich(state, tick, source) {
      const { kind, symbol, eventTimeMs, exchange } = tick;
      enterDay(state, eventTimeMs);
      const { side, priceE4, size } = whatIsSaid(tick);
      const quote = tick.kind === 'quote' ? tick : NO_QUOTE;
      const volumeToday = countVolume(state, tick);
      const known = references.get(symbol);
      const priced = known !== undefined && priceE4 > 0;
      // Every field in one literal: spreads cost several times more, and this is done for every tick.
      return {
        kind,
        symbol,
        eventTimeMs,
        source,
        exchange,
        priceE4,
        size,
        side,
        bidPriceE4: quote.bidPriceE4,
        bidSize: quote.bidSize,
        askPriceE4: quote.askPriceE4,
        askSize: quote.askSize,
        volumeToday,
        previousCloseE4: known?.previousCloseE4 ?? null,
        changeBps: priced ? changeBps(priceE4, known.previousCloseE4) : null,
        averageVolume20: known?.averageVolume20 ?? null,
        relativeVolume: known !== undefined ? quotient(volumeToday, known.averageVolume20) : null,
        vwap20E4: known?.vwap20E4 ?? null,
        vwapDeviation: priced ? quotient(priceE4 - known.vwap20E4, known.vwapStdE4) : null,
        sizePercentile: priced ? known.tradeSizes.percentile(size, eventTimeMs - state.dayStartMs) : null,
      };
    },
  };
}

const NO_QUOTE = { bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 };

/** Price and size that the features are about: of a quote, those of the side that changed. */
function whatIsSaid(tick: Tick): Pick<EnrichedTick, 'side' | 'priceE4' | 'size'> {
  if (tick.kind !== 'quote') return { side: 'none', priceE4: tick.priceE4, size: tick.size };
  if (tick.bidPriceE4 > 0) return { side: 'bid', priceE4: tick.bidPriceE4, size: tick.bidSize };
  if (tick.askPriceE4 > 0) return { side: 'ask', priceE4: tick.askPriceE4, size: tick.askSize };
  return { side: 'none', priceE4: 0, size: 0 };
}

function changeBps(priceE4: number, previousCloseE4: number): number | null {
  return previousCloseE4 > 0 ? (priceE4 / previousCloseE4 - 1) * BASIS_POINTS : null;
}

/** Null where there is nothing to divide by. */
function quotient(dividend: number, divisor: number): number | null {
  return divisor > 0 ? dividend / divisor : null;
}

function countVolume(state: EnrichmentState, tick: Tick): number {
  const before = state.volumeToday.get(tick.symbol) ?? 0;
  if (tick.kind !== 'trade') return before;
  const after = before + tick.size;
  state.volumeToday.set(tick.symbol, after);
  return after;
}

function enterDay(state: EnrichmentState, eventTimeMs: number): void {
  if (eventTimeMs >= state.dayStartMs && eventTimeMs < state.dayEndMs) return;
  const { date } = newYorkClock(eventTimeMs);
  state.dayStartMs = newYorkToUtcMs(date, 0);
  state.dayEndMs = newYorkToUtcMs(addDays(date, 1), 0);
  state.volumeToday.clear();
}
