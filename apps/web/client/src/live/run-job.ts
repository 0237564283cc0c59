import type { Job } from '../contract.ts';
import { fetchJson, NoAnswerError, postJson } from './fetch-json.ts';

export interface JobProgress {
  /** Records handled. */
  done: number;
  /** 0 while unknown. */
  total: number;
}

interface RunOptions {
  /** Aborting gives the job up, on the server too. */
  signal: AbortSignal;
  onProgress: (progress: JobProgress) => void;
  /** Between two questions how it goes. */
  pause: () => Promise<void>;
}

/** A web app that is being restarted is asked so often again before the job counts as lost. */
const UNANSWERED_MAX = 20;

/**
 * Starts a job, asks how it goes until it has ended, and gives its result.
 *
 * @throws Error for people to read, with the mend
 */
export async function runJob<T>(path: string, body: unknown, options: RunOptions): Promise<T> {
  const { signal, onProgress, pause } = options;
  // Not to be aborted: whoever gives up before the answer would leave a job behind that nobody can name.
  let job = await postJson<Job>(path, body);
  const address = `/api/jobs/${encodeURIComponent(job.id)}`;
  const giveUp = () => void fetch(address, { method: 'DELETE', keepalive: true }).catch(() => {});
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    signal.throwIfAborted();
    let unanswered = 0;
    while (job.state === 'running') {
      onProgress({ done: job.done, total: job.total });
      await pause();
      signal.throwIfAborted();
      try {
        job = await fetchJson<Job>(address, signal);
        unanswered = 0;
      } catch (error) {
        unanswered += 1;
        if (!(error instanceof NoAnswerError) || unanswered > UNANSWERED_MAX) throw error;
      }
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  if (job.state === 'failed') throw new Error(problemText(job.problem));
  return job.result as T;
}

function problemText(problem: Job['problem']): string {
  if (problem === null) return 'It failed; the cause is in the log of the web app.';
  return `${problem.detail} ${problem.mend}`.trim();
}
