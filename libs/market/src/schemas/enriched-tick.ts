import type { TickKind } from '../tick.ts';

/**
 * `market.enriched`: a tick joined with its symbol's history. A feature is null where the history that it needs is not
 * there; a tick is never dropped for that.
 */
export interface EnrichedTick {
  kind: TickKind;
  symbol: string;
  /** UTC milliseconds. */
  eventTimeMs: number;
  /** Source id of the tick, `<file>:<line>`. */
  source: string;
  exchange: string;
  /** Of the trade or offer; of a quote, those of the side that changed (0 where none did). */
  priceE4: number;
  size: number;
  /** The side of a quote that changed; `none` for trades and offers. A quote that sets both says `bid`. */
  side: 'none' | 'bid' | 'ask';
  /** Both sides of the quote as it came: 0 is unchanged. 0 for trades and offers. */
  bidPriceE4: number;
  bidSize: number;
  askPriceE4: number;
  askSize: number;
  /** Shares traded in this symbol on this day so far, this tick included. Trades only count. */
  volumeToday: number;
  /** Close of the session before. */
  previousCloseE4: number | null;
  /** Change of this tick's price against the previous close, in basis points. */
  changeBps: number | null;
  /** Mean shares a session over the last 20 sessions. */
  averageVolume20: number | null;
  /** `volumeToday / averageVolume20`. */
  relativeVolume: number | null;
  /** Volume-weighted average price of the last 20 sessions. */
  vwap20E4: number | null;
  /** Distance of this tick's price from it, in standard deviations. */
  vwapDeviation: number | null;
  /** How large this trade is, as a percentile (0 to 100) of the trades at this time of day. */
  sizePercentile: number | null;
}

const nullable = (type: string) => ({ type: ['null', type], default: null });

/** Oldest first; the last one is written. An older one stays for as long as a log may hold it. */
export const enrichedTickVersions = [
  {
    type: 'record',
    name: 'EnrichedTick',
    namespace: 'tickfold',
    fields: [
      { name: 'kind', type: { type: 'enum', name: 'TickKind', symbols: ['trade', 'quote', 'offer'] } },
      { name: 'symbol', type: 'string' },
      { name: 'eventTimeMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'source', type: 'string' },
      { name: 'exchange', type: 'string' },
      { name: 'priceE4', type: 'long' },
      { name: 'size', type: 'long' },
      { name: 'side', type: { type: 'enum', name: 'Side', symbols: ['none', 'bid', 'ask'] } },
      { name: 'bidPriceE4', type: 'long' },
      { name: 'bidSize', type: 'long' },
      { name: 'askPriceE4', type: 'long' },
      { name: 'askSize', type: 'long' },
      { name: 'volumeToday', type: 'long' },
      { name: 'previousCloseE4', ...nullable('long') },
      { name: 'changeBps', ...nullable('double') },
      { name: 'averageVolume20', ...nullable('double') },
      { name: 'relativeVolume', ...nullable('double') },
      { name: 'vwap20E4', ...nullable('double') },
      { name: 'vwapDeviation', ...nullable('double') },
      { name: 'sizePercentile', ...nullable('double') },
    ],
  },
] as const;
