import { useCallback, useEffect, useRef, useState } from 'react';
import { type JobProgress, runJob } from './run-job.ts';

export type JobView<T> =
  | { state: 'idle' }
  | ({ state: 'running'; cancelling: boolean } & JobProgress)
  | { state: 'cancelled' }
  | { state: 'done'; result: T }
  | { state: 'failed'; reason: string };

const ASK_EVERY_MS = 250;

/**
 * Work on the server that takes longer than an answer may, one at a time: starting another one gives the one before up.
 *
 * @param leaving what becomes of it when its page is left
 */
export function useJob<T>(leaving: 'cancel' | 'let-it-run') {
  const [job, setJob] = useState<JobView<T>>({ state: 'idle' });
  const current = useRef<AbortController | undefined>(undefined);

  const start = useCallback((path: string, body: unknown): void => {
    current.current?.abort();
    const stop = new AbortController();
    current.current = stop;
    setJob({ state: 'running', cancelling: false, done: 0, total: 0 });
    const show = (view: JobView<T>) => {
      if (current.current === stop) setJob(view);
    };
    runJob<T>(path, body, {
      signal: stop.signal,
      onProgress: (progress) => show({ state: 'running', cancelling: false, ...progress }),
      pause: () => new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS)),
    }).then(
      (result) => show({ state: 'done', result }),
      (error: Error) =>
        show(error === stop.signal.reason ? { state: 'cancelled' } : { state: 'failed', reason: error.message }),
    );
  }, []);

  const cancel = useCallback((): void => {
    current.current?.abort();
    setJob((before) => (before.state === 'running' ? { ...before, cancelling: true } : before));
  }, []);

  useEffect(() => {
    if (leaving === 'let-it-run') return;
    return () => {
      current.current?.abort();
      current.current = undefined;
    };
  }, [leaving]);

  return { job, start, cancel };
}
