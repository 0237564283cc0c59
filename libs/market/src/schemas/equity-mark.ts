/** What a model is worth in one partition at the start of a minute of event time. Totals are sums over partitions. */
export interface EquityMark {
  /** Everything before this time is in it, nothing after. UTC milliseconds, a whole minute. */
  minuteMs: number;
  /** Money received less money paid, fees included. Starts at 0. */
  cashE4: number;
  /** Positions at the last trade price of their symbols. */
  positionValueE4: number;
  /** Cash and positions: profit since the start. */
  equityE4: number;
  /** Fees paid so far; already taken from cash. */
  feesE4: number;
  /** Fills so far. */
  fills: number;
}

/** Oldest first; the last one is written. */
export const equityMarkVersions = [
  {
    type: 'record',
    name: 'EquityMark',
    namespace: 'tickfold',
    fields: [
      { name: 'minuteMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'cashE4', type: 'long' },
      { name: 'positionValueE4', type: 'long' },
      { name: 'equityE4', type: 'long' },
      { name: 'feesE4', type: 'long' },
      { name: 'fills', type: 'long' },
    ],
  },
] as const;
