import { setImmediate } from 'node:timers/promises';
import { createEarlierSessions, openSimFeed, type SimulatorOptions, simulatorDefaults } from '@tickfold/market';
import type { HistorySource } from './build-history.ts';

/** Trades of the 20 sessions before a simulated one, made up by the same market and seed. */
export function simulatedHistory(options: SimulatorOptions = {}): HistorySource {
  const { identity, description } = openSimFeed(options);
  return {
    identity,
    description,
    origin: 'synthetic',
    sessionDate: options.date ?? simulatorDefaults.date,
    async fill({ trades, onProgress }) {
      const past = createEarlierSessions(options);
      for (const [index, date] of past.dates.entries()) {
        await trades.beginSession(date);
        for (const trade of past.trades(date)) trades.add(trade);
        onProgress((index + 1) / past.dates.length);
        await setImmediate(); // lets a progress bar and a signal through
      }
      return { standIns: [] };
    },
  };
}
