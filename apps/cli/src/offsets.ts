import { formatCount } from './quantities.ts';

/** An offset for each partition, in their order: `12,345 · 8,901`. */
export function describeOffsets(offsets: readonly number[]): string {
  return offsets.map(formatCount).join(' · ');
}
