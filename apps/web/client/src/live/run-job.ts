import type { Job } from '../contract.ts';
import { deleteJson, fetchJson, NoAnswerError, postJson } from './fetch-json.ts';

export interface JobProgress {
  /** Records handled. */
  done: number;
  /** 0 while unknown. */
  total: number;
}

interface RunOptions {
  /** Aborting gives the job up, on the server too; what is done by then is a result all the same. */
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
 * @throws Error for people to read, with the mend; the signal's reason where the job was given up
 */
export async function runJob<T>(path: string, body: unknown, options: RunOptions): Promise<T> {
  const { signal, onProgress, pause } = options;
  // Not to be aborted: whoever gives up before the answer would leave a job behind that nobody can name.
  let job = await postJson<Job>(path, body);
  const address = `/api/jobs/${encodeURIComponent(job.id)}`;
  let unanswered = 0;
  while (job.state === 'running' && !signal.aborted) {
    onProgress({ done: job.done, total: job.total });
    await pause();
    if (signal.aborted) break;
    try {
      job = await fetchJson<Job>(address, signal);
      unanswered = 0;
    } catch (error) {
      if (signal.aborted) break;
      unanswered += 1;
      if (!(error instanceof NoAnswerError) || unanswered > UNANSWERED_MAX) throw error;
    }
  }
  if (job.state === 'running') {
    // Answered once it has ended, which may be because it was done before it could be stopped.
    job = await deleteJson<Job>(address);
    if (job.state !== 'done') throw signal.reason;
  }
  if (job.state === 'failed') throw new Error(problemText(job.problem));
  return job.result as T;
}

function problemText(problem: Job['problem']): string {
  if (problem === null) return 'It failed; the cause is in the log of the web app.';
  return `${problem.detail} ${problem.mend}`.trim();
}
