import type { Decision, DecisionReason, EnrichedTick } from '@tickfold/market/browser';

/**
 * What `diff` finds between two volumes, as plain JSON: money in whole 1/10,000 USD (`E4`), times in UTC milliseconds,
 * offsets as decimal text. Differences of amounts are B less A.
 */
export interface VolumeDiff {
  a: DiffSide;
  b: DiffSide;
  /** The canonical content of the compared range is the same: key, value, headers and event time of every record. */
  equal: boolean;
  /**
   * What was compared, for each partition: outputs of inputs below `toInput`, up to which both have handled their input.
   * A live volume goes on while it is compared.
   */
  range: { partition: number; toInput: string }[];
  /** Records in the range, and how many of them differ (in content, or are in one volume only). */
  topics: { topic: string; recordsA: number; recordsB: number; differing: number }[];
  /** Decisions by kind of difference; kinds that do not occur are left out. */
  kinds: { kind: DecisionDifferenceKind; count: number }[];
  /** The earliest difference of any kind, and the earliest on which the two acted differently. */
  first: Divergence | null;
  firstAction: Divergence | null;
  /** Null where the two are not outputs of models. */
  profit: ProfitDifference | null;
}

export interface DiffSide {
  /** As it was asked for: `model-reversion-2`, `try-1`, `model-reversion-2@noon`. */
  ref: string;
  volume: string;
  /** The version that wrote it, where that is known. */
  model: string | null;
  /** `defaults`, or what differs from them; of the last run. */
  parametersVersion: string | null;
  /** What it read: `market.enriched`, or a snapshot, `market@open`. */
  input: string | null;
}

/** Each decision that differs counts once, under the first of these that applies. */
export const decisionDifferenceKinds = [
  /** One of the two made no decision on this tick. */
  'only-a',
  'only-b',
  /** They wanted different things: another action, or another target. */
  'action',
  /** The same action for another reason. */
  'reason',
  /** The same action and reason; other numbers behind it (mean, signal, threshold, features). */
  'figures',
  /** Only the name of the parameters, or a header, differs. */
  'label',
] as const;
export type DecisionDifferenceKind = (typeof decisionDifferenceKinds)[number];

/** One tick on which the two decided differently. */
export interface Divergence {
  kind: DecisionDifferenceKind;
  partition: number;
  /** Offset of the enriched tick in its partition. */
  inputOffset: string;
  /** Source id of the tick, `<file>:<line>`. */
  source: string;
  symbol: string;
  eventTimeMs: number;
  /** The tick with its features; null where it is no longer in the log. */
  tick: EnrichedTick | null;
  a: DivergentSide;
  b: DivergentSide;
}

export interface DivergentSide {
  /** With the model's state before this trade (mean, deviation, target); null where it made none. */
  decision: Decision | null;
  /** One sentence. */
  reason: string;
}

/** `parts` sum up to `differenceE4` exactly. */
export interface ProfitDifference {
  equityAE4: number;
  equityBE4: number;
  /** B less A. */
  differenceE4: number;
  feesAE4: number;
  feesBE4: number;
  fillsA: number;
  fillsB: number;
  /** Per partition, the last minute that both have marked: what happened since is not in these figures. */
  asOf: { partition: number; minuteMs: number }[];
  /** Largest amount first, whatever its sign. */
  parts: ProfitPart[];
}

/** How a position's way from flat to flat (a trip) differs between the two. */
export const profitPartKinds = [
  /** Only A opened it. The other's reason on that tick says why not. */
  'only-a',
  'only-b',
  /** Both opened it on the same tick; they closed it on different ones, or one has not yet. */
  'closed-differently',
  /** Opened and closed on the same ticks, with other sizes, prices or fees. */
  'sized-or-priced-differently',
  /** What no trip accounts for. Does not occur unless a volume was changed by hand. */
  'unattributed',
] as const;
export type ProfitPartKind = (typeof profitPartKinds)[number];

export interface ProfitPart {
  kind: ProfitPartKind;
  /**
   * Why A and B decided as they did on one tick: the one whose decision opened the trip or, where they closed differently,
   * the first whose decision closed it. Null where one of them made no decision there.
   */
  reasonA: DecisionReason | null;
  reasonB: DecisionReason | null;
  trips: number;
  /** B less A, fees included. */
  amountE4: number;
  /** The trip with the largest amount, and the tick that the reasons are about. */
  example: {
    symbol: string;
    eventTimeMs: number;
    source: string;
    partition: number;
    inputOffset: string;
    amountE4: number;
  } | null;
}
