import type { Isolation } from '@tickfold/log-engine';

/** On the wire; 0 is everything else. */
const READ_COMMITTED = 1;

/** What a request wants to see. */
export function isolationOf({ isolationLevel }: { isolationLevel: number }): Isolation {
  return isolationLevel === READ_COMMITTED ? 'committed' : 'uncommitted';
}

/** First offset that such a reader may not see yet. */
export function visibleEnd(
  { highWatermark, lastStableOffset }: { highWatermark: bigint; lastStableOffset: bigint },
  isolation: Isolation,
): bigint {
  return isolation === 'committed' ? lastStableOffset : highWatermark;
}
