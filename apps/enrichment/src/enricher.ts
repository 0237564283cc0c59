import type { SymbolReference } from '@tickfold/history';
import { addDays, type EnrichedTick, newYorkClock, newYorkToUtcMs, type Tick } from '@tickfold/market';

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
      const said = whatIsSaid(tick);
      const volumeToday = countVolume(state, tick);
      return {
        kind,
        symbol,
        eventTimeMs,
        source,
        exchange,
        ...said,
        volumeToday,
        ...features(references.get(symbol), said, volumeToday, eventTimeMs - state.dayStartMs),
      };
    },
  };
}

type Said = Pick<EnrichedTick, 'priceE4' | 'size' | 'side' | 'bidPriceE4' | 'bidSize' | 'askPriceE4' | 'askSize'>;

/** Price and size that the features are about: of a quote, those of the side that changed. */
function whatIsSaid(tick: Tick): Said {
  if (tick.kind !== 'quote') {
    const { priceE4, size } = tick;
    return { priceE4, size, side: 'none', bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 };
  }
  const { bidPriceE4, bidSize, askPriceE4, askSize } = tick;
  const both = { bidPriceE4, bidSize, askPriceE4, askSize };
  if (bidPriceE4 > 0) return { priceE4: bidPriceE4, size: bidSize, side: 'bid', ...both };
  if (askPriceE4 > 0) return { priceE4: askPriceE4, size: askSize, side: 'ask', ...both };
  return { priceE4: 0, size: 0, side: 'none', ...both };
}

type Features = Pick<
  EnrichedTick,
  | 'previousCloseE4'
  | 'changeBps'
  | 'averageVolume20'
  | 'relativeVolume'
  | 'vwap20E4'
  | 'vwapDeviation'
  | 'sizePercentile'
>;

const NO_HISTORY: Features = {
  previousCloseE4: null,
  changeBps: null,
  averageVolume20: null,
  relativeVolume: null,
  vwap20E4: null,
  vwapDeviation: null,
  sizePercentile: null,
};

function features(
  reference: SymbolReference | undefined,
  { priceE4, size }: Said,
  volumeToday: number,
  msOfDay: number,
): Features {
  if (reference === undefined) return NO_HISTORY;
  const { previousCloseE4, averageVolume20, vwap20E4, vwapStdE4, tradeSizes } = reference;
  const priced = priceE4 > 0;
  return {
    previousCloseE4,
    changeBps: priced && previousCloseE4 > 0 ? (priceE4 / previousCloseE4 - 1) * BASIS_POINTS : null,
    averageVolume20,
    relativeVolume: averageVolume20 > 0 ? volumeToday / averageVolume20 : null,
    vwap20E4,
    vwapDeviation: priced && vwapStdE4 > 0 ? (priceE4 - vwap20E4) / vwapStdE4 : null,
    sizePercentile: priced ? tradeSizes.percentile(size, msOfDay) : null,
  };
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
