/**
 * The fixed-width lines of `market.ticks`, byte by byte. `docs/formats/ticks.md` shows the same tables (a test keeps
 * them equal), the decoder and the encoder read and write at these positions.
 */

export interface Field {
  /** First byte, from 0. */
  readonly start: number;
  /** The byte after the last one. */
  readonly end: number;
  readonly content: string;
}

const common = {
  time: { start: 0, end: 9, content: 'HHMMSSmmm, New York; the date is in the record timestamp' },
  exchange: { start: 9, end: 10, content: 'one visible character' },
  symbolRoot: { start: 10, end: 16, content: 'padded with spaces' },
  symbolSuffix: { start: 16, end: 26, content: 'padded with spaces, all spaces where there is none' },
} as const;

/** NYSE Daily Trades (Daily TAQ client specification, 2013, table 6). */
export const tradeFields = {
  ...common,
  condition: { start: 26, end: 30, content: 'sale condition: settlement, trade-through, extended hours, detail' },
  volume: { start: 30, end: 39, content: '9 digits, shares' },
  price: { start: 39, end: 50, content: '11 digits, 4 implied decimals, above zero' },
  stopStock: { start: 50, end: 51, content: 'stop-stock indicator' },
  correction: { start: 51, end: 53, content: 'correction indicator' },
  sequence: { start: 53, end: 69, content: '16 digits' },
  source: { start: 69, end: 70, content: 'C (CTA) or N (UTP)' },
  reportingFacility: { start: 70, end: 71, content: 'trade reporting facility' },
} as const satisfies Record<string, Field>;

/** A trade line with a sender and one to ten receivers behind it. */
export const offerFields = {
  ...tradeFields,
  sender: { start: 71, end: 75, content: '4 digits' },
  receivers: { start: 75, end: 115, content: '4 digits each, 1 to 10 of them; the line ends after the last' },
} as const satisfies Record<string, Field>;

/** Our own, of the same family. Price and size 0: that side is unchanged. */
export const quoteFields = {
  ...common,
  bidPrice: { start: 26, end: 37, content: '11 digits, 4 implied decimals' },
  bidSize: { start: 37, end: 46, content: '9 digits, shares' },
  askPrice: { start: 46, end: 57, content: '11 digits, 4 implied decimals' },
  askSize: { start: 57, end: 66, content: '9 digits, shares' },
  condition: { start: 66, end: 70, content: 'quote condition, padded with spaces' },
  sequence: { start: 70, end: 86, content: '16 digits' },
} as const satisfies Record<string, Field>;

export const TRADE_LINE_LENGTH = tradeFields.reportingFacility.end;
export const QUOTE_LINE_LENGTH = quoteFields.sequence.end;
export const PARTY_LENGTH = 4;
export const RECEIVER_COUNT_MAX = 10;
/** Where an offer's first receiver begins. */
export const OFFER_RECEIVERS_START = offerFields.receivers.start;
export const OFFER_LINE_LENGTH_MAX = offerFields.receivers.end;
