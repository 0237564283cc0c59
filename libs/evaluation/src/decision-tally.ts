import type { Decision } from '@tickfold/market';
import { actedDifferently, differenceOf } from './decision-difference.ts';
import { type DecisionDifferenceKind, decisionDifferenceKinds, type VolumeDiff } from './volume-diff.ts';

/** The decisions of both on one tick. At least one of them is there. */
export interface DecisionPair {
  partition: number;
  inputOffset: bigint;
  /** Source id of the tick. */
  source: string;
  a: Decision | undefined;
  b: Decision | undefined;
}

/** A tick on which the two decided differently, as far as the decisions tell. */
export interface FoundDifference extends DecisionPair {
  kind: DecisionDifferenceKind;
  eventTimeMs: number;
}

/** Counts differing decisions by kind, and keeps the earliest ones. Partitions may come in any order. */
export class DecisionTally {
  first: FoundDifference | undefined;
  firstAction: FoundDifference | undefined;
  readonly #counts = new Map<DecisionDifferenceKind, number>();

  /** Takes a pair whose records differ. */
  add(pair: DecisionPair): void {
    const { a, b } = pair;
    const kind = differenceOf(a, b);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.first = earlier(this.first, pair, kind);
    if (actedDifferently(kind, a, b)) this.firstAction = earlier(this.firstAction, pair, kind);
  }

  kinds(): VolumeDiff['kinds'] {
    return decisionDifferenceKinds.flatMap((kind) => {
      const count = this.#counts.get(kind);
      return count === undefined ? [] : [{ kind, count }];
    });
  }
}

/** Across partitions, earlier is what comes first in the order (event time, partition, offset). */
function earlier(
  known: FoundDifference | undefined,
  pair: DecisionPair,
  kind: DecisionDifferenceKind,
): FoundDifference {
  const { eventTimeMs } = (pair.a ?? pair.b)!;
  const isEarlier =
    known === undefined ||
    eventTimeMs < known.eventTimeMs ||
    (eventTimeMs === known.eventTimeMs &&
      (pair.partition < known.partition ||
        (pair.partition === known.partition && pair.inputOffset < known.inputOffset)));
  return isEarlier ? { ...pair, kind, eventTimeMs } : known;
}
