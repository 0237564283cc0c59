import type { EnrichedTick, TradingDate } from '@tickfold/market';
import type { MinuteBar, SymbolRow, Totals } from './contract.ts';

export const MINUTE_MS = 60_000;
/** Bounds of this process's memory; a whole market has about 10,000 symbols. */
export const MAX_SYMBOLS = 50_000;
/** Symbols that keep their minute bars: the first that trade. */
export const MAX_SYMBOLS_WITH_BARS = 1_000;
const SPARKLINE_POINTS = 48;

/** What history said of the symbol, as its ticks carry it. */
export interface SymbolReference {
  previousCloseE4: number | null;
  averageVolume: number | null;
  vwapE4: number | null;
  standardDeviationE4: number | null;
}

interface SymbolState {
  row: SymbolRow;
  reference: SymbolReference;
  sessionDate: string;
  bars: MinuteBar[];
  keepsBars: boolean;
  /** Value of the state's revision when the symbol last changed. */
  revision: number;
}

/**
 * Today's market as a fold over enriched ticks. A symbol lies in one partition, so that its ticks come in order; the
 * partitions among themselves may not, which is why each symbol turns its own page when its session changes.
 */
export class MarketState {
  readonly totals: Totals = {
    ticks: 0,
    trades: 0,
    quotes: 0,
    offers: 0,
    symbols: 0,
    withoutHistory: 0,
    undecodable: 0,
  };
  shownEventTimeMs: number | null = null;
  /** Newest session that any symbol has reached. */
  sessionDate: string | null = null;
  revision = 0;
  readonly #symbols = new Map<string, SymbolState>();
  #symbolsWithBars = 0;

  /** @param sessionDate New York date of the tick's event time */
  apply(tick: EnrichedTick, sessionDate: TradingDate): void {
    this.revision += 1;
    this.totals.ticks += 1;
    if (tick.previousCloseE4 === null && tick.averageVolume20 === null) this.totals.withoutHistory += 1;
    if (this.shownEventTimeMs === null || tick.eventTimeMs > this.shownEventTimeMs) {
      this.shownEventTimeMs = tick.eventTimeMs;
    }
    if (this.sessionDate === null || sessionDate > this.sessionDate) this.sessionDate = sessionDate;

    const state = this.#stateOf(tick, sessionDate);
    if (state) state.revision = this.revision;
    switch (tick.kind) {
      case 'trade':
        this.totals.trades += 1;
        if (state) this.#applyTrade(state, tick);
        break;
      case 'quote':
        this.totals.quotes += 1;
        if (state) applyQuote(state.row, tick);
        break;
      case 'offer':
        this.totals.offers += 1;
        if (state) applyOffer(state.row, tick);
        break;
    }
    if (state) state.row.eventTimeMs = tick.eventTimeMs;
  }

  countUndecodable(): void {
    this.totals.undecodable += 1;
  }

  row(symbol: string): SymbolRow | undefined {
    return this.#symbols.get(symbol)?.row;
  }

  bars(symbol: string): readonly MinuteBar[] {
    return this.#symbols.get(symbol)?.bars ?? [];
  }

  reference(symbol: string): SymbolReference {
    return this.#symbols.get(symbol)?.reference ?? NO_REFERENCE;
  }

  sessionDateOf(symbol: string): string | null {
    return this.#symbols.get(symbol)?.sessionDate ?? null;
  }

  /** Most active first: by shares, then by messages, then by name. Optionally only those whose name contains a text. */
  ranking(limit: number, containing = ''): SymbolRow[] {
    const rows: SymbolRow[] = [];
    for (const [symbol, { row }] of this.#symbols) if (symbol.includes(containing)) rows.push(row);
    return rows.sort(byActivity).slice(0, limit);
  }

  /** Of these rows, those that changed after that revision. */
  changedSince(rows: readonly SymbolRow[], revision: number): SymbolRow[] {
    return rows.filter(({ symbol }) => (this.#symbols.get(symbol)?.revision ?? 0) > revision);
  }

  /** Closing prices of the session's minutes, thinned to a width that a table cell can show. */
  sparkline(symbol: string): number[] {
    const bars = this.bars(symbol);
    if (bars.length <= SPARKLINE_POINTS) return bars.map(({ closeE4 }) => closeE4);
    const step = (bars.length - 1) / (SPARKLINE_POINTS - 1);
    return Array.from({ length: SPARKLINE_POINTS }, (_, point) => bars[Math.round(point * step)]!.closeE4);
  }

  #stateOf(tick: EnrichedTick, sessionDate: TradingDate): SymbolState | undefined {
    let state = this.#symbols.get(tick.symbol);
    if (!state) {
      if (this.#symbols.size >= MAX_SYMBOLS) return undefined;
      state = {
        row: emptyRow(tick),
        reference: NO_REFERENCE,
        sessionDate,
        bars: [],
        keepsBars: false,
        revision: 0,
      };
      this.#symbols.set(tick.symbol, state);
      this.totals.symbols = this.#symbols.size;
    } else if (sessionDate > state.sessionDate) {
      state.row = emptyRow(tick);
      state.reference = NO_REFERENCE;
      state.sessionDate = sessionDate;
      state.bars = [];
    }
    return state;
  }

  #applyTrade(state: SymbolState, tick: EnrichedTick): void {
    const { row } = state;
    row.tradeCount += 1;
    row.volume = tick.volumeToday;
    row.relativeVolume = tick.relativeVolume;
    if (tick.priceE4 <= 0) return;
    row.lastPriceE4 = tick.priceE4;
    row.changeBps = tick.changeBps;
    row.vwapDeviation = tick.vwapDeviation;
    state.reference = referenceOf(tick, state.reference);
    if (!state.keepsBars && this.#symbolsWithBars < MAX_SYMBOLS_WITH_BARS) {
      state.keepsBars = true;
      this.#symbolsWithBars += 1;
    }
    const startMs = Math.floor(tick.eventTimeMs / MINUTE_MS) * MINUTE_MS;
    row.bar = extendBar(row.bar, startMs, tick.priceE4, tick.size);
    if (!state.keepsBars) return;
    if (state.bars.at(-1)?.startMs === row.bar.startMs) state.bars[state.bars.length - 1] = row.bar;
    else state.bars.push(row.bar);
  }
}

const NO_REFERENCE: SymbolReference = {
  previousCloseE4: null,
  averageVolume: null,
  vwapE4: null,
  standardDeviationE4: null,
};

/** Nearer to the VWAP than this, a price says too little about the size of a standard deviation. */
const LEAST_DEVIATION = 0.01;

/** A tick carries its distance from the VWAP in standard deviations, which tells the size of one. */
function referenceOf(tick: EnrichedTick, before: SymbolReference): SymbolReference {
  const { previousCloseE4, averageVolume20, vwap20E4, vwapDeviation, priceE4 } = tick;
  const known = before.vwapE4 === vwap20E4 ? before.standardDeviationE4 : null;
  if (known !== null) return before;
  const tells = vwap20E4 !== null && vwapDeviation !== null && Math.abs(vwapDeviation) >= LEAST_DEVIATION;
  return {
    previousCloseE4,
    averageVolume: averageVolume20,
    vwapE4: vwap20E4,
    standardDeviationE4: tells ? (priceE4 - vwap20E4) / vwapDeviation : null,
  };
}

function emptyRow({ symbol, eventTimeMs }: EnrichedTick): SymbolRow {
  return {
    symbol,
    lastPriceE4: null,
    lastOfferE4: null,
    bidPriceE4: null,
    askPriceE4: null,
    changeBps: null,
    volume: 0,
    relativeVolume: null,
    vwapDeviation: null,
    tradeCount: 0,
    quoteCount: 0,
    offerCount: 0,
    eventTimeMs,
    bar: null,
  };
}

function applyQuote(row: SymbolRow, { bidPriceE4, askPriceE4 }: EnrichedTick): void {
  row.quoteCount += 1;
  if (bidPriceE4 > 0) row.bidPriceE4 = bidPriceE4;
  if (askPriceE4 > 0) row.askPriceE4 = askPriceE4;
}

/** Offers are no trades: they move neither volume nor bars, and their price is shown only as what was offered. */
function applyOffer(row: SymbolRow, { priceE4 }: EnrichedTick): void {
  row.offerCount += 1;
  if (priceE4 > 0) row.lastOfferE4 = priceE4;
}

/** The minute bar with one more trade; a trade of an earlier minute (a late report) counts into the current one. */
export function extendBar(bar: MinuteBar | null, startMs: number, priceE4: number, size: number): MinuteBar {
  if (bar === null || startMs > bar.startMs) {
    return { startMs, openE4: priceE4, highE4: priceE4, lowE4: priceE4, closeE4: priceE4, volume: size };
  }
  bar.highE4 = Math.max(bar.highE4, priceE4);
  bar.lowE4 = Math.min(bar.lowE4, priceE4);
  bar.closeE4 = priceE4;
  bar.volume += size;
  return bar;
}

function byActivity(a: SymbolRow, b: SymbolRow): number {
  if (a.volume !== b.volume) return b.volume - a.volume;
  const messages = b.quoteCount + b.offerCount - (a.quoteCount + a.offerCount);
  if (messages !== 0) return messages;
  return a.symbol < b.symbol ? -1 : 1;
}
