/** What a feed says: a trade that happened, one side of one exchange's best quote, or an offer between traders. */
export type TickKind = 'trade' | 'quote' | 'offer';

interface TickBase {
  /** `BAC`, or `BRK.A` for a root with a suffix. */
  symbol: string;
  /** UTC milliseconds. */
  eventTimeMs: number;
  /** One letter, as in the Daily TAQ specification. */
  exchange: string;
}

export interface Trade extends TickBase {
  kind: 'trade';
  /** 1/10,000 USD. */
  priceE4: number;
  /** Shares. */
  size: number;
  /** Up to four sale condition letters. */
  condition: string;
  sequence: number;
}

/** A side that is 0 is unchanged, not a price of zero. */
export interface Quote extends TickBase {
  kind: 'quote';
  bidPriceE4: number;
  bidSize: number;
  askPriceE4: number;
  askSize: number;
  condition: string;
  sequence: number;
}

export interface Offer extends TickBase {
  kind: 'offer';
  priceE4: number;
  size: number;
  condition: string;
  sequence: number;
  /** Four digits. */
  sender: string;
  /** One to ten of four digits each, in the order of the line. */
  receivers: string[];
}

export type Tick = Trade | Quote | Offer;

/** A tick as it goes into `market.ticks`. */
export interface FeedRecord {
  kind: TickKind;
  symbol: string;
  eventTimeMs: number;
  /** The fixed-width ASCII line, without its line end. */
  line: Uint8Array;
  /** Where it came from: `<file>:<line>`, line numbers from 1, the file relative to the source's folder. */
  source: string;
  /** Ordinal in the source's own deterministic order, from 0: what a restarted ingest resumes by. */
  position: number;
}

/** A line that is no tick. It goes to `market.dead-letter`. */
export interface MalformedRecord {
  source: string;
  position: number;
  /** At most 1 KiB of the offending line. */
  line: Uint8Array;
  /** Names the field, its bytes and what was expected. */
  reason: string;
}
