import { asSentence } from '../as-sentence.ts';
import type { FromJob, JobProblem, ToJob } from './job-messages.ts';

export interface JobTools {
  /** Aborted when the job is cancelled, takes too long, or nobody waits for it any more. */
  signal: AbortSignal;
  onProgress(progress: { done: number; total: number }): void;
}

const PROGRESS_EVERY_MS = 100;
/** Time to remove what is half made, once there is no web app any more that would end this process. */
const END_LIMIT_MS = 2_000;

/**
 * The whole life of a job's process: takes one input, does the work, tells its result or problem, and ends. It ends as
 * well when the process that asked is gone, however that went.
 */
export function serveJob<Input>(work: (input: Input, tools: JobTools) => Promise<unknown>): void {
  const stop = new AbortController();
  process.on('disconnect', () => {
    stop.abort();
    setTimeout(() => process.exit(1), END_LIMIT_MS).unref();
  });
  // A Ctrl-C reaches every process of the terminal; the web app decides what becomes of its jobs.
  process.on('SIGINT', () => {});
  process.on('message', (message: ToJob) => {
    if (message.type === 'stop') stop.abort();
    else void run(message.input as Input);
  });

  async function run(input: Input): Promise<void> {
    const tools = { signal: stop.signal, onProgress: throttled(tell) };
    const last: FromJob = await work(input, tools).then(
      (result) => ({ type: 'done', result }),
      (error: unknown) => ({ type: 'failed', problem: problemOf(error, stop.signal) }),
    );
    tell(last, () => process.exit(0));
  }
}

function tell(message: FromJob, then = (): void => {}): void {
  if (process.connected) process.send!(message, then);
  else then();
}

function throttled(send: (message: FromJob) => void): JobTools['onProgress'] {
  let nextMs = 0;
  return (progress) => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + PROGRESS_EVERY_MS;
    send({ type: 'progress', ...progress });
  };
}

/**
 * Errors that are meant for people say their mend. Any other is a fault, unless the job was asked to stop: its trace goes
 * to the web app's log only.
 */
function problemOf(error: unknown, stopped: AbortSignal): JobProblem {
  if (error instanceof Error && 'mend' in error && typeof error.mend === 'string') {
    return { detail: asSentence(error.message), mend: error.mend };
  }
  const isStop = stopped.aborted && error instanceof Error && error.name === 'AbortError';
  if (!isStop) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return { detail: 'It broke off by a fault of ours.', mend: 'The cause is in the log of the web app.' };
}
