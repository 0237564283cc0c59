import type { Decision } from '@tickfold/market';
import type { DecisionDifferenceKind } from './volume-diff.ts';

/** The numbers behind a decision. `parametersVersion` is a name, not a number: it is a `label`. */
const figures = [
  'symbol',
  'eventTimeMs',
  'priceE4',
  'size',
  'previousTarget',
  'signal',
  'threshold',
  'meanE4',
  'deviationE4',
  'changeBps',
  'relativeVolume',
  'vwapDeviation',
  'sizePercentile',
] as const satisfies readonly (keyof Decision)[];

/** How two decisions on one tick differ whose records are known not to be the same; at least one is there. */
export function differenceOf(a: Decision | undefined, b: Decision | undefined): DecisionDifferenceKind {
  if (a === undefined) return 'only-b';
  if (b === undefined) return 'only-a';
  if (a.action !== b.action || a.target !== b.target) return 'action';
  if (a.reason !== b.reason) return 'reason';
  for (const figure of figures) if (!Object.is(a[figure], b[figure])) return 'figures';
  return 'label';
}

/** True where the difference is one of what was done: another target, or a change that only one of the two made. */
export function actedDifferently(
  kind: DecisionDifferenceKind,
  a: Decision | undefined,
  b: Decision | undefined,
): boolean {
  if (kind === 'only-a') return changesTarget(a);
  if (kind === 'only-b') return changesTarget(b);
  return kind === 'action';
}

/** True when a decision asks for another position than the one before. */
export function changesTarget(decision: Decision | undefined): boolean {
  return decision !== undefined && decision.target !== decision.previousTarget;
}
