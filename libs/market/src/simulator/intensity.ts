import type { SimulatedHours } from './hours.ts';

/** Seconds of session that pass in one wall second of the demo. */
export const DEMO_SPEED = 60;

/**
 * How busy the market is at a second of the day, as a fraction of its peak: U-shaped over the regular session (busy at
 * the open and the close, about a third at noon), lively just before the open, fading after the close.
 */
export function intensityAt(second: number, hours: SimulatedHours): number {
  if (second < hours.open) return Math.max(0.1, 0.75 - 0.0005 * (hours.open - second));
  if (second >= hours.close) return Math.max(0.05, 0.3 - 0.0005 * (second - hours.close));
  const fromNoon = (2 * (second - hours.open)) / (hours.close - hours.open) - 1;
  return 0.33 + 0.67 * fromNoon * fromNoon;
}

/**
 * Number of ticks in each second from start to end. Counts follow the intensity exactly, without chance, so that the
 * cap holds in every window: no 60 seconds of session, wherever they begin, hold more ticks than `peakTicksPerSecond`.
 */
export function tickCounts(hours: SimulatedHours, peakTicksPerSecond: number): Uint32Array {
  // A window of 60 s may touch 61 seconds of the schedule, and rounding may put one more tick into it.
  const peakPerSecond = Math.max(0, peakTicksPerSecond - 1) / (DEMO_SPEED + 1);
  const counts = new Uint32Array(hours.end - hours.start);
  let planned = 0;
  let placed = 0;
  for (let index = 0; index < counts.length; index++) {
    planned += peakPerSecond * intensityAt(hours.start + index, hours);
    counts[index] = Math.floor(planned) - placed;
    placed += counts[index]!;
  }
  return counts;
}
