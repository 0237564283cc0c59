/** A paper order, filled whole. */
export interface Fill {
  symbol: string;
  /** Of the quote that filled it. */
  eventTimeMs: number;
  side: 'buy' | 'sell';
  /** Shares, positive. */
  quantity: number;
  priceE4: number;
  feeE4: number;
  /** Source id of the trade whose decision asked for it. */
  decisionSource: string;
  decisionTimeMs: number;
  /** Source id of the quote that filled it. */
  quoteSource: string;
  /** Shares held after it; negative is short. */
  positionAfter: number;
  /** Profit that this fill made real, before its fee. */
  realisedE4: number;
}

/** Oldest first; the last one is written. */
export const fillVersions = [
  {
    type: 'record',
    name: 'Fill',
    namespace: 'tickfold',
    fields: [
      { name: 'symbol', type: 'string' },
      { name: 'eventTimeMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'side', type: { type: 'enum', name: 'FillSide', symbols: ['buy', 'sell'] } },
      { name: 'quantity', type: 'long' },
      { name: 'priceE4', type: 'long' },
      { name: 'feeE4', type: 'long' },
      { name: 'decisionSource', type: 'string' },
      { name: 'decisionTimeMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'quoteSource', type: 'string' },
      { name: 'positionAfter', type: 'long' },
      { name: 'realisedE4', type: 'long' },
    ],
  },
] as const;
