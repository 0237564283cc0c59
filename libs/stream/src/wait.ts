import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `waitMs`, or as soon as the signal is aborted. */
export async function untilPassedOrAborted(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(waitMs, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
