import { isRetriable, type StreamError } from './errors.ts';
import { untilPassedOrAborted } from './wait.ts';

export interface ResumableOptions {
  /** Connects, resumes from what the log holds, and works until the signal is aborted. */
  run: () => Promise<void>;
  signal: AbortSignal;
  /** Told each time that a run ended by itself and another follows. */
  onInterrupted?: (error: StreamError, nextRunInMs: number) => void;
  /** Default 100. */
  minBackoffMs?: number;
  /** Default 5,000. A run that lasted longer than this counts as healthy: the next wait is short again. */
  maxBackoffMs?: number;
}

/**
 * Runs `run` again, with growing waits, each time that it ends with an error which passes by itself (`disconnected`,
 * `unreachable`, `unavailable`). Resolves when `run` does, or the signal is aborted.
 * @throws every other error of `run`
 */
export async function runResumably(options: ResumableOptions): Promise<void> {
  const { run, signal, onInterrupted, minBackoffMs = 100, maxBackoffMs = 5_000 } = options;
  let backoffMs = minBackoffMs;
  while (!signal.aborted) {
    const startedAtMs = performance.now();
    try {
      await run();
      return;
    } catch (error) {
      if (!isRetriable(error)) throw error;
      if (signal.aborted) return;
      if (performance.now() - startedAtMs > maxBackoffMs) backoffMs = minBackoffMs;
      onInterrupted?.(error, backoffMs);
    }
    await untilPassedOrAborted(backoffMs, signal);
    backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
  }
}
