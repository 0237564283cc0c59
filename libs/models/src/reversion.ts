import type { Decision, DecisionReason, EnrichedTick } from '@tickfold/market';
import { addPrice, type MovingAverage, startAverage } from './moving-average.ts';
import { brokerParameters } from './paper-broker.ts';
import type { ParameterSpecs, ParameterValues } from './parameters.ts';
import { inSession, type SessionClock, startClock } from './session-clock.ts';

/**
 * What the versions of the reversion model share: how they look at a trade, and how they write down what they decide.
 * What they decide is in each version's own file.
 */

/** Parameters that every version has; a version adds its own. */
export const reversionParameters = {
  shares: {
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'shares',
    whole: true,
    description: 'Size of a position.',
  },
  averagingMinutes: {
    default: 5,
    min: 0.5,
    max: 120,
    unit: 'minutes of event time',
    description: 'Time constant of the moving average that prices are compared with.',
  },
  warmUpMinutes: {
    default: 5,
    min: 0,
    max: 120,
    unit: 'minutes of event time',
    description: 'A symbol is watched for so long before it is traded; a longer silence starts its average anew.',
  },
  leastDeviationE4: {
    default: 100,
    min: 1,
    max: 10_000,
    unit: '1/10,000 USD',
    whole: true,
    description: 'A standard deviation below this counts as this, so that a still market gives no signals.',
  },
  entrySignal: {
    default: 2,
    min: 0.5,
    max: 10,
    unit: 'standard deviations',
    description: 'Distance from the average at which a position is opened against it.',
  },
  maxHoldMinutes: {
    default: 30,
    min: 1,
    max: 390,
    unit: 'minutes of event time',
    description: 'A position is closed when it has been wanted for so long.',
  },
  maxRelativeVolume: {
    default: 3,
    min: 0,
    max: 1_000,
    unit: 'times the 20-session average',
    description: 'No position is opened once the volume of the day is above this.',
  },
  flatMinutesBeforeClose: {
    default: 5,
    min: 0,
    max: 390,
    unit: 'minutes of event time',
    description: 'Positions are closed, and none opened, in these last minutes of the session; 0 keeps them overnight.',
  },
  ...brokerParameters,
} as const satisfies ParameterSpecs;

export type ReversionParameters = ParameterValues<typeof reversionParameters>;

export interface ReversionState {
  clock: SessionClock;
  symbols: Map<string, SymbolState>;
}

export interface SymbolState {
  average: MovingAverage | undefined;
  /** Shares wanted; negative is short. */
  target: number;
  /** Price, mean and time of the decision that opened the position that is wanted. */
  entry: { priceE4: number; meanE4: number; timeMs: number };
}

/** A trade as a version judges it: against the state that all earlier trades left, never against itself. */
export interface View {
  trade: EnrichedTick;
  state: SymbolState;
  meanE4: number | null;
  deviationE4: number | null;
  /** Distance of the price from the mean in standard deviations. */
  signal: number | null;
  warm: boolean;
  inSession: boolean;
  msToClose: number;
}

/** What a version made of a view. `threshold` is the limit that the reason compares with. */
export interface Verdict {
  target: number;
  reason: DecisionReason;
  threshold: number | null;
}

export function createReversionState(): ReversionState {
  return { clock: startClock(), symbols: new Map() };
}

export function viewTrade(parameters: ReversionParameters, states: ReversionState, trade: EnrichedTick): View {
  const { eventTimeMs } = trade;
  let state = states.symbols.get(trade.symbol);
  if (state === undefined) {
    state = { average: undefined, target: 0, entry: { priceE4: 0, meanE4: 0, timeMs: 0 } };
    states.symbols.set(trade.symbol, state);
  }
  const warmUpMs = minutes(parameters.warmUpMinutes);
  const { average } = state;
  if (average !== undefined && eventTimeMs - average.lastTimeMs > Math.max(warmUpMs, minutes(1))) {
    state.average = undefined;
  }
  const session = { inSession: inSession(states.clock, eventTimeMs), msToClose: states.clock.closeMs - eventTimeMs };
  if (state.average === undefined) {
    return { trade, state, meanE4: null, deviationE4: null, signal: null, warm: false, ...session };
  }
  const { meanE4, varianceE4, firstTimeMs } = state.average;
  const deviationE4 = Math.max(parameters.leastDeviationE4, Math.sqrt(varianceE4));
  const signal = (trade.priceE4 - meanE4) / deviationE4;
  return { trade, state, meanE4, deviationE4, signal, warm: eventTimeMs - firstTimeMs >= warmUpMs, ...session };
}

/** Lets the average take the trade in: after the judgement, for the trades to come. */
export function learnPrice(parameters: ReversionParameters, { state, trade }: View): void {
  const { priceE4, eventTimeMs } = trade;
  if (state.average === undefined) state.average = startAverage(priceE4, eventTimeMs);
  else addPrice(state.average, priceE4, eventTimeMs, minutes(parameters.averagingMinutes));
}

/** Takes a verdict into the state and writes it down with every number it rests on. */
export function decide(view: View, verdict: Verdict, parametersVersion: string): Decision {
  const { trade, state, signal, meanE4, deviationE4 } = view;
  const previousTarget = state.target;
  if (verdict.target !== previousTarget) {
    state.target = verdict.target;
    state.entry = { priceE4: trade.priceE4, meanE4: meanE4 ?? trade.priceE4, timeMs: trade.eventTimeMs };
  }
  return {
    symbol: trade.symbol,
    eventTimeMs: trade.eventTimeMs,
    priceE4: trade.priceE4,
    size: trade.size,
    action: verdict.target > previousTarget ? 'buy' : verdict.target < previousTarget ? 'sell' : 'hold',
    reason: verdict.reason,
    previousTarget,
    target: verdict.target,
    signal,
    threshold: verdict.threshold,
    meanE4,
    deviationE4,
    changeBps: trade.changeBps,
    relativeVolume: trade.relativeVolume,
    vwapDeviation: trade.vwapDeviation,
    sizePercentile: trade.sizePercentile,
    parametersVersion,
  };
}

/** Keeps what is wanted. */
export function hold({ state }: View, reason: DecisionReason, threshold: number | null = null): Verdict {
  return { target: state.target, reason, threshold };
}

/** Wants no position. */
export function close(reason: DecisionReason, threshold: number | null): Verdict {
  return { target: 0, reason, threshold };
}

/** Wants a position against the signal: bought below the mean, sold above it. */
export function fade({ signal }: View, { shares, entrySignal }: ReversionParameters): Verdict {
  return signal !== null && signal < 0
    ? { target: shares, reason: 'below_mean', threshold: entrySignal }
    : { target: -shares, reason: 'above_mean', threshold: entrySignal };
}

/** True when the signal is on the far side of the threshold, or on it. */
export function beyond({ signal }: View, threshold: number): boolean {
  return signal !== null && Math.abs(signal) >= threshold;
}

export function heldMinutes({ state, trade }: View): number {
  return (trade.eventTimeMs - state.entry.timeMs) / 60_000;
}

/** True in the last minutes of a session that is to end without positions. */
export function sessionEnds({ msToClose }: View, { flatMinutesBeforeClose }: ReversionParameters): boolean {
  return flatMinutesBeforeClose > 0 && msToClose <= minutes(flatMinutesBeforeClose);
}

function minutes(count: number): number {
  return count * 60_000;
}
