import { setTimeout as delay } from 'node:timers/promises';

/** Waits, but no longer than until the signal is aborted. */
export async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(waitMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
