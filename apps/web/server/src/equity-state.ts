import type { EquityMark } from '@tickfold/market';
import type { EquityPoint, ModelSummary } from './contract.ts';

/** Minutes kept per model: four sessions with their extended hours. The oldest go first. */
export const MAX_MINUTES = 4_000;

/**
 * A model's portfolio over time. Each partition reports its own symbols; the whole at a minute is the sum of what
 * each partition last said up to then, so that a partition that runs behind changes the past minutes when it arrives.
 */
export class EquityState {
  readonly #byPartition = new Map<number, Map<number, EquityMark>>();
  readonly #latest = new Map<number, EquityMark>();
  #eventTimeMs: number | null = null;
  #series: EquityPoint[] | undefined;

  apply(partition: number, mark: EquityMark): void {
    let minutes = this.#byPartition.get(partition);
    if (!minutes) {
      minutes = new Map();
      this.#byPartition.set(partition, minutes);
    }
    minutes.set(mark.minuteMs, mark);
    if (minutes.size > MAX_MINUTES) minutes.delete(minutes.keys().next().value as number);
    this.#latest.set(partition, mark);
    this.#eventTimeMs = Math.max(this.#eventTimeMs ?? 0, mark.minuteMs);
    this.#series = undefined;
  }

  /** By minute, ascending. */
  series(): readonly EquityPoint[] {
    this.#series ??= sumOverPartitions([...this.#byPartition.values()]);
    return this.#series;
  }

  summary(): Pick<
    ModelSummary,
    'equityE4' | 'cashE4' | 'positionValueE4' | 'feesE4' | 'maxDrawdownE4' | 'eventTimeMs'
  > {
    const parts = [...this.#latest.values()];
    if (parts.length === 0) {
      return { equityE4: null, cashE4: null, positionValueE4: null, feesE4: 0, maxDrawdownE4: null, eventTimeMs: null };
    }
    const sum = (field: keyof EquityMark) => parts.reduce((total, part) => total + part[field], 0);
    return {
      equityE4: sum('equityE4'),
      cashE4: sum('cashE4'),
      positionValueE4: sum('positionValueE4'),
      feesE4: sum('feesE4'),
      maxDrawdownE4: maxDrawdownE4(this.series()),
      eventTimeMs: this.#eventTimeMs,
    };
  }
}

function sumOverPartitions(partitions: Map<number, EquityMark>[]): EquityPoint[] {
  const minutes = [...new Set(partitions.flatMap((partition) => [...partition.keys()]))].sort((a, b) => a - b);
  const current = partitions.map(() => 0);
  const series = minutes.map((minuteMs) => {
    partitions.forEach((partition, index) => {
      current[index] = partition.get(minuteMs)?.equityE4 ?? current[index]!;
    });
    return { minuteMs, equityE4: current.reduce((total, part) => total + part, 0) };
  });
  return series.slice(-MAX_MINUTES);
}

/** The largest fall from an earlier high; the position starts at 0, which counts as a high. */
export function maxDrawdownE4(series: readonly EquityPoint[]): number {
  let high = 0;
  let deepest = 0;
  for (const { equityE4 } of series) {
    high = Math.max(high, equityE4);
    deepest = Math.max(deepest, high - equityE4);
  }
  return deepest;
}

/** Points of `now` that are new or other than in `before`; both ascend by minute. */
export function changedPoints(before: readonly EquityPoint[], now: readonly EquityPoint[]): EquityPoint[] {
  const known = new Map(before.map(({ minuteMs, equityE4 }) => [minuteMs, equityE4]));
  return now.filter(({ minuteMs, equityE4 }) => known.get(minuteMs) !== equityE4);
}
