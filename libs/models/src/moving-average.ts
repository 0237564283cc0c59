/**
 * Mean and variance of a price that forget by event time. A price that follows another in the same millisecond adds
 * nothing to them.
 */
export interface MovingAverage {
  meanE4: number;
  /** Of the price around the mean, in E4 squared. */
  varianceE4: number;
  firstTimeMs: number;
  lastTimeMs: number;
}

export function startAverage(priceE4: number, timeMs: number): MovingAverage {
  return { meanE4: priceE4, varianceE4: 0, firstTimeMs: timeMs, lastTimeMs: timeMs };
}

/**
 * Takes a price in. The mean follows the price as dm/dt = (price - m) / constant, by the backward Euler step: a price
 * after `elapsed` weighs elapsed / (constant + elapsed). Unlike the exponential it stands for, that is one division, which
 * IEEE 754 rounds in one way on every machine and JavaScript engine. The variance follows Finch, "Incremental
 * calculation of weighted mean and variance" (2009), section 9. A time before the last one counts as the last one.
 */
export function addPrice(average: MovingAverage, priceE4: number, timeMs: number, constantMs: number): void {
  const elapsedMs = Math.max(0, timeMs - average.lastTimeMs);
  const weight = elapsedMs / (constantMs + elapsedMs);
  const difference = priceE4 - average.meanE4;
  const increment = weight * difference;
  average.meanE4 += increment;
  average.varianceE4 = (1 - weight) * (average.varianceE4 + difference * increment);
  average.lastTimeMs += elapsedMs;
}
