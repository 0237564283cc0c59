/** What a model wants, compared with what it wanted before. */
export const decisionActions = ['buy', 'sell', 'hold'] as const;
export type DecisionAction = (typeof decisionActions)[number];

/** Why a model decided as it did. `explain` in libs/models says each as a sentence. */
export const decisionReasons = [
  /** Hold: outside of the regular session nothing is decided. */
  'outside_session',
  /** Hold: the average has not seen enough yet. */
  'warming_up',
  /** Hold: the price is within the entry threshold of its mean. */
  'within_band',
  /** Hold: a position is open, and the price is not near enough to its mean to close it. */
  'position_kept',
  /** Hold: a position is open, and the price has not come back to the one that closes it. */
  'price_awaited',
  /** Hold: the day's volume is already too far above its average. */
  'heavy_volume',
  /** Hold: the price has left its 20-session VWAP too far in the direction that would be faded. */
  'multi_day_move',
  /** Hold: the trade is too small to say something about the price. */
  'small_trade',
  /** Hold: too near to the close to open a position. */
  'session_ending',
  /** Buy: the price is far enough below its mean. */
  'below_mean',
  /** Sell: the price is far enough above its mean. */
  'above_mean',
  /** The position is closed: the price is back at its mean. */
  'reverted',
  /** The position is closed: the price has come back to the one that closes it, a part of the way to the mean. */
  'partly_reverted',
  /** The position is closed: it has been open too long. */
  'held_too_long',
  /** The position is closed: the session ends. */
  'session_end',
] as const;
export type DecisionReason = (typeof decisionReasons)[number];

/** One evaluation of a model: of one trade of one symbol, with every number that it rests on. */
export interface Decision {
  symbol: string;
  /** Of the trade. */
  eventTimeMs: number;
  priceE4: number;
  size: number;
  action: DecisionAction;
  reason: DecisionReason;
  /** Shares wanted before and after; negative is short. */
  previousTarget: number;
  target: number;
  /** Distance of the price from its mean in standard deviations; null while there is none. */
  signal: number | null;
  /** The limit that `reason` compares with, in the unit of what it compares (prices: E4); null where there is none. */
  threshold: number | null;
  /** State before this trade; null before the first. */
  meanE4: number | null;
  deviationE4: number | null;
  /** Features of the trade that models look at. */
  changeBps: number | null;
  relativeVolume: number | null;
  vwapDeviation: number | null;
  sizePercentile: number | null;
  /** `defaults`, or the parameters that differ from them: `entrySignal=2.5`. */
  parametersVersion: string;
}

const nullableDouble = { type: ['null', 'double'], default: null };

/** Oldest first; the last one is written. */
export const decisionVersions = [
  {
    type: 'record',
    name: 'Decision',
    namespace: 'tickfold',
    fields: [
      { name: 'symbol', type: 'string' },
      { name: 'eventTimeMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'priceE4', type: 'long' },
      { name: 'size', type: 'long' },
      { name: 'action', type: { type: 'enum', name: 'DecisionAction', symbols: decisionActions } },
      { name: 'reason', type: { type: 'enum', name: 'DecisionReason', symbols: decisionReasons } },
      { name: 'previousTarget', type: 'long' },
      { name: 'target', type: 'long' },
      { name: 'signal', ...nullableDouble },
      { name: 'threshold', ...nullableDouble },
      { name: 'meanE4', ...nullableDouble },
      { name: 'deviationE4', ...nullableDouble },
      { name: 'changeBps', ...nullableDouble },
      { name: 'relativeVolume', ...nullableDouble },
      { name: 'vwapDeviation', ...nullableDouble },
      { name: 'sizePercentile', ...nullableDouble },
      { name: 'parametersVersion', type: 'string' },
    ],
  },
] as const;
