import { createSimulator, type SimulatorOptions, simulatorDefaults } from '../simulator/index.ts';
import { FeedError } from './feed-error.ts';
import type { FeedSource } from './feed-source.ts';

/**
 * The seeded simulator as a source.
 * @throws FeedError when the options make no session
 */
export function openSimFeed(options: SimulatorOptions = {}): FeedSource {
  const chosen = { ...simulatorDefaults, ...options };
  try {
    const simulator = createSimulator(chosen);
    const { seed, date, symbolCount, peakTicksPerSecond, startAt } = chosen;
    return {
      identity: `sim:seed=${seed},date=${date},symbols=${symbolCount},rate=${peakTicksPerSecond},start=${startAt}`,
      description: `sim: simulated session of ${date} (seed ${seed}, ${symbolCount} symbols)`,
      eventDate: date,
      warnings: [],
      async *records(from = 0) {
        yield* simulator.chunks(from);
      },
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FeedError(
      `sim: ${error.message}`,
      `Choose another day, or leave the date out for ${simulatorDefaults.date}.`,
      { cause: error },
    );
  }
}
