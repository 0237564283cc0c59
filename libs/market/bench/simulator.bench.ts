/** How many ticks a second the simulator makes by itself, lines encoded; and how fast it skips what a restart knows already. */
import { createSimulator } from '@tickfold/market';

const ROUNDS = 5;

function ticksPerSecond(from: number): { made: number; perSecond: number } {
  const startMs = performance.now();
  let made = 0;
  let bytes = 0;
  for (const chunk of createSimulator().chunks(from)) {
    made += chunk.length;
    for (const record of chunk) bytes += record.line.length;
  }
  if (made > 0 && bytes === 0) throw new Error('The simulator made empty lines.');
  return { made, perSecond: Math.round((made / (performance.now() - startMs)) * 1000) };
}

const session = ticksPerSecond(0).made;
const rounds = Array.from({ length: ROUNDS }, () => ticksPerSecond(0).perSecond).sort((a, b) => a - b);
const skipStartMs = performance.now();
ticksPerSecond(session - 1);
const skipMs = Math.round(performance.now() - skipStartMs);

console.log(
  JSON.stringify([
    {
      name: 'simulated ticks with encoded lines, median of 5 sessions',
      value: rounds[ROUNDS >> 1],
      unit: 'ticks/s',
      atLeast: 200_000,
    },
    { name: 'skipping a whole session', value: skipMs, unit: 'ms' },
  ]),
);
