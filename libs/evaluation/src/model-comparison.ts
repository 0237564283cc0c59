import { addE4, type EquityMark, type Fill } from '@tickfold/market';
import { type DecisionPair, DecisionTally } from './decision-tally.ts';
import { ProfitParts } from './profit-parts.ts';
import { TripBook } from './trip-book.ts';
import type { ProfitDifference } from './volume-diff.ts';

/** What both accounts of a partition were worth at one tick: after exactly the inputs before it. */
export interface MarkPair {
  partition: number;
  inputOffset: bigint;
  a: EquityMark;
  b: EquityMark;
}

/**
 * Compares what two models made of the same ticks: counts how their decisions differ, and says what that cost. Holds sums
 * and open trips, however long the streams are. Reads nothing itself.
 */
export class ModelComparison {
  readonly tally = new DecisionTally();
  readonly #parts = new ProfitParts();
  readonly #marks: MarkPair[] = [];

  /** @param asOf the last marks that both have in the range; without them the partition has no part in the profit */
  partition(asOf: MarkPair | undefined): PartitionComparison {
    if (asOf !== undefined) this.#marks.push(asOf);
    const trips = new TripBook((trip) => this.#parts.add(trip));
    return new PartitionComparison(this.tally, trips, asOf?.inputOffset ?? 0n);
  }

  /** After all partitions are closed. @throws MoneyError when a sum is not exact in JSON */
  profit(): ProfitDifference {
    const sum = (figure: (pair: MarkPair) => number): number =>
      this.#marks.reduce((all, pair) => addE4(all, figure(pair)), 0);
    const equityAE4 = sum(({ a }) => a.equityE4);
    const equityBE4 = sum(({ b }) => b.equityE4);
    const differenceE4 = addE4(equityBE4, -equityAE4);
    return {
      equityAE4,
      equityBE4,
      differenceE4,
      feesAE4: sum(({ a }) => a.feesE4),
      feesBE4: sum(({ b }) => b.feesE4),
      fillsA: sum(({ a }) => a.fills),
      fillsB: sum(({ b }) => b.fills),
      asOf: this.#marks.map(({ partition, a }) => ({ partition, minuteMs: a.minuteMs })),
      parts: this.#parts.list(BigInt(differenceE4)),
    };
  }
}

/** Takes the decisions and fills of one partition in the order of their input, and the sides of one input together. */
export class PartitionComparison {
  readonly #tally: DecisionTally;
  readonly #trips: TripBook;
  /** A mark holds the inputs before its own. */
  readonly #marksBefore: bigint;

  constructor(tally: DecisionTally, trips: TripBook, marksBefore: bigint) {
    this.#tally = tally;
    this.#trips = trips;
    this.#marksBefore = marksBefore;
  }

  /** @param same the records are the same in all of their content */
  decisions(pair: DecisionPair, same: boolean): void {
    if (!same) this.#tally.add(pair);
    if (pair.inputOffset < this.#marksBefore) this.#trips.decided(pair);
  }

  fills(at: { partition: number; inputOffset: bigint }, a: Fill | undefined, b: Fill | undefined): void {
    if (at.inputOffset >= this.#marksBefore) return;
    if (a !== undefined) this.#trips.filled('a', a, at);
    if (b !== undefined) this.#trips.filled('b', b, at);
  }

  close(): void {
    this.#trips.close();
  }
}
