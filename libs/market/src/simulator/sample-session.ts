import type { SimulatorOptions } from './defaults.ts';
import { createSimulator } from './simulator.ts';

/** What `data/sample` was made from. */
export const sampleSessionOptions = {
  seed: 42,
  date: '2025-10-07',
  symbolCount: 5,
  peakTicksPerSecond: 60,
} as const satisfies SimulatorOptions;

export const SAMPLE_SESSION_FILE = 'simulated-20251007-seed-42.txt';

/**
 * The committed sample: a small simulated session without its quotes, so that the file is in the plain Daily Trades
 * layout (offers with sender and receivers) and `taq:data/sample` reads it.
 */
export function sampleSession(): Buffer {
  const newline = Buffer.from('\n');
  const lines: Uint8Array[] = [];
  for (const chunk of createSimulator(sampleSessionOptions).chunks()) {
    for (const { kind, line } of chunk) if (kind !== 'quote') lines.push(line, newline);
  }
  return Buffer.concat(lines);
}
