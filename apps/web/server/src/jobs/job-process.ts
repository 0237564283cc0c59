import { type ChildProcess, fork } from 'node:child_process';
import type { FromJob, JobProblem, ToJob } from './job-messages.ts';

/** How the processes of one kind of job are run. */
export interface JobSettings {
  /** What it is called in sentences: `The replay`. */
  title: string;
  /** Its built module, which calls `serveJob`. */
  entry: string;
  heapMiB: number;
  timeoutMs: number;
  /** To remove what is half made, when it is cancelled or takes too long. */
  cleanUpMs: number;
}

export type JobEnd = { result: unknown } | { problem: JobProblem };

export interface JobProcess {
  /** Resolves when the process is gone. */
  readonly ended: Promise<JobEnd>;
  /** Asks it to remove what is half made and to end; kills it if it does not. What it finishes meanwhile counts. */
  stop(): void;
  /** The same, in less time: the web app itself has to end. */
  shutDown(): void;
}

export interface JobProcessOptions extends JobSettings {
  input: unknown;
  onProgress(progress: { done: number; total: number }): void;
  /** What the process wrote to its standard error: faults, which are not for the page. */
  onFault(text: string): void;
}

/** Less than what the web app itself has to end in. */
const SHUTDOWN_LIMIT_MS = 1_500;
const FAULT_CHARACTERS = 8_192;

/** Does the work in a process of its own: the page stays answerable, and memory and time of the work have a limit. */
export function startJobProcess(options: JobProcessOptions): JobProcess {
  const { timeoutMs, cleanUpMs, input, onProgress, onFault } = options;
  let child: ChildProcess;
  try {
    child = forkJob(options);
  } catch (error) {
    onFault(String(error));
    return { ended: Promise.resolve({ problem: notStarted(options) }), stop() {}, shutDown() {} };
  }
  const { promise: ended, resolve } = withResolvers<JobEnd>();
  let outcome: JobEnd | undefined;
  let stopped: JobProblem | undefined;
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  let faults = '';
  let isSettled = false;

  const stop = (reason: JobProblem): void => {
    if (stopped || isGone(child)) return;
    stopped = reason;
    tell(child, { type: 'stop' });
    killIn(cleanUpMs);
  };
  const shutDown = (): void => {
    stop(cancelled(options));
    if (!isGone(child)) killIn(SHUTDOWN_LIMIT_MS);
  };
  const timeout = setTimeout(() => stop(tooSlow(options)), timeoutMs);

  // Without any file left to open there is neither a process nor its streams.
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    faults = (faults + text).slice(-FAULT_CHARACTERS);
  });
  child.on('message', (message: FromJob) => {
    if (message.type === 'progress') onProgress({ done: message.done, total: message.total });
    else outcome = message.type === 'done' ? { result: message.result } : { problem: message.problem };
  });
  // One that cannot be started has no exit, and a `close` not always.
  child.on('error', (error) => {
    faults += error.stack;
    if (child.pid === undefined) settle();
  });
  child.on('close', () => settle());
  tell(child, { type: 'start', input });
  return { ended, stop: () => stop(cancelled(options)), shutDown };

  function killIn(limitMs: number): void {
    clearTimeout(killTimer);
    killTimer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  }

  function settle(): void {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timeout);
    clearTimeout(killTimer);
    if (faults !== '') onFault(faults);
    // A failure after it was asked to stop is that stop; a result is a result.
    const isFinished = outcome !== undefined && ('result' in outcome || stopped === undefined);
    const broken = child.pid === undefined ? notStarted(options) : brokenOff(options, faults);
    resolve(isFinished ? outcome! : { problem: stopped ?? broken });
  }
}

/** @throws Error where no process can be started at all */
function forkJob({ entry, heapMiB }: JobSettings): ChildProcess {
  return fork(entry, [], {
    execArgv: [`--max-old-space-size=${heapMiB}`, '--max-semi-space-size=16', '--enable-source-maps'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Fails where the process is gone already or never was, which its `close` and `error` tell better. */
function tell(child: ChildProcess, message: ToJob): void {
  child.send?.(message, () => {});
}

function cancelled({ title }: JobSettings): JobProblem {
  return { detail: `${title} was cancelled.`, mend: 'Start it again if it is still wanted.' };
}

function tooSlow({ title, timeoutMs }: JobSettings): JobProblem {
  return {
    detail: `${title} took longer than ${timeoutMs / 1_000} s and was ended.`,
    mend: 'Try again when the machine has less to do.',
  };
}

function notStarted({ title }: JobSettings): JobProblem {
  return {
    detail: `${title} could not be started.`,
    mend: 'Try again when the machine has less to do; the cause is in the log of the web app.',
  };
}

function brokenOff({ title, heapMiB }: JobSettings, faults: string): JobProblem {
  if (faults.includes('heap out of memory')) {
    return {
      detail: `${title} needed more than its ${heapMiB} MiB of memory and was ended.`,
      mend: 'Try it with less data; the log of the web app has the details.',
    };
  }
  return { detail: `${title} broke off.`, mend: 'Start it again; the cause is in the log of the web app.' };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((take) => {
    resolve = take;
  });
  return { promise, resolve };
}
