/** One figure, as `npm run bench` prints it. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What it has to reach, or may not pass, on the machine that the project is judged by. */
  atLeast?: number;
  atMost?: number;
  /** The same work done by others in the same run. */
  peers?: Record<string, number>;
}

export function perSecond(count: number, elapsedMs: number): number {
  return (count / elapsedMs) * 1000;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share 0.99 gives the value that 99 % stay below */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
  if (found === undefined) throw new RangeError('there is no percentile of no values');
  return found;
}

/** Records a second, as the median of rounds. */
export function rateFigure(name: string, rates: readonly number[], atLeast?: number): Figure {
  const figure = { name, value: Math.round(median(rates)), unit: 'records/s' };
  return atLeast === undefined ? figure : { ...figure, atLeast };
}

/** Milliseconds, as the median of rounds. */
export function timeFigure(name: string, timesMs: readonly number[], atMost?: number): Figure {
  const figure = { name, value: Number(median(timesMs).toFixed(2)), unit: 'ms' };
  return atMost === undefined ? figure : { ...figure, atMost };
}
