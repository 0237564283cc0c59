export interface SimulatorOptions {
  seed?: number;
  /** Session date, YYYY-MM-DD. */
  date?: string;
  symbolCount?: number;
  /** Ticks in one wall second at the busiest moment, at the demo's speed of 60. */
  peakTicksPerSecond?: number;
  /** New York time of the first tick, HH:MM. */
  startAt?: string;
}

export const simulatorDefaults = {
  seed: 42,
  /** A Tuesday without a holiday near it. */
  date: '2025-10-07',
  symbolCount: 40,
  peakTicksPerSecond: 2000,
  startAt: '09:25',
} as const satisfies Required<SimulatorOptions>;
