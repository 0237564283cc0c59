import { checkedAmountE4 } from '@tickfold/market';
import type { SettledTrip } from './trip-book.ts';
import type { ProfitPart } from './volume-diff.ts';

interface Group {
  kind: SettledTrip['kind'];
  trips: number;
  amountE4: bigint;
  /** The trip with the largest amount. */
  example: SettledTrip;
}

/** Sums trips up by what parted the two: the kind, and the reasons of both on that tick. */
export class ProfitParts {
  readonly #groups = new Map<string, Group>();

  add(trip: SettledTrip): void {
    const { kind, tick, amountE4 } = trip;
    const name = `${kind}/${tick.reasonA}/${tick.reasonB}`;
    const group = this.#groups.get(name);
    if (group === undefined) {
      this.#groups.set(name, { kind, trips: 1, amountE4, example: trip });
      return;
    }
    group.trips += 1;
    group.amountE4 += amountE4;
    if (isLarger(trip, group.example)) group.example = trip;
  }

  /**
   * Largest amount first, whatever its sign. What the trips leave of the difference is a part of its own.
   * @throws MoneyError when an amount is not exact in JSON
   */
  list(differenceE4: bigint): ProfitPart[] {
    const groups = [...this.#groups.entries()].sort(
      ([name, one], [otherName, other]) =>
        Number(absolute(other.amountE4) - absolute(one.amountE4)) || (name < otherName ? -1 : 1),
    );
    const parts = groups.map(([, group]) => partOf(group));
    const attributedE4 = groups.reduce((sum, [, { amountE4 }]) => sum + amountE4, 0n);
    if (attributedE4 !== differenceE4) parts.push(unattributed(differenceE4 - attributedE4));
    return parts;
  }
}

function partOf({ kind, trips, amountE4, example: { tick, amountE4: exampleE4 } }: Group): ProfitPart {
  const { symbol, eventTimeMs, source, partition, inputOffset, reasonA, reasonB } = tick;
  const place = { symbol, eventTimeMs, source, partition, inputOffset: String(inputOffset) };
  return {
    kind,
    reasonA,
    reasonB,
    trips,
    amountE4: exact(amountE4),
    example: { ...place, amountE4: exact(exampleE4) },
  };
}

function unattributed(amountE4: bigint): ProfitPart {
  return { kind: 'unattributed', reasonA: null, reasonB: null, trips: 0, amountE4: exact(amountE4), example: null };
}

/** The earlier one where amounts are as large, so that the order of partitions does not matter. */
function isLarger(one: SettledTrip, other: SettledTrip): boolean {
  const by = absolute(one.amountE4) - absolute(other.amountE4);
  return by > 0n || (by === 0n && one.tick.eventTimeMs < other.tick.eventTimeMs);
}

function absolute(amountE4: bigint): bigint {
  return amountE4 < 0n ? -amountE4 : amountE4;
}

function exact(amountE4: bigint): number {
  return checkedAmountE4(Number(amountE4));
}
