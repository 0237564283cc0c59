import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job } from './jobs.ts';

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));

/** A process of its own that does one job. */
export interface Working<Found> {
  /** What it tells once it is ready; only jobs that others wait for tell something. */
  ready: Promise<unknown>;
  found: Promise<Found>;
}

/** Starts a job in a process of its own. */
export function startJob<Found>(job: Job): Working<Found> {
  const child = fork(CHILD, [JSON.stringify(job)]);
  let onReady: ((told: unknown) => void) | undefined;
  const ready = new Promise<unknown>((resolve) => {
    onReady = resolve;
  });
  const found = new Promise<Found>((resolve, reject) => {
    child.on('message', (message: unknown) => {
      if (isResult<Found>(message)) resolve(message.found);
      else onReady!(message);
    });
    child.once('exit', (code) => reject(new Error(`"${job.do}" of the benchmark ended with status ${code}`)));
  });
  return { ready: Promise.race([ready, found]), found };
}

/** Does a job in a process of its own, and gives what it found. */
export function doJob<Found>(job: Job): Promise<Found> {
  return startJob<Found>(job).found;
}

/** Milliseconds since 1970 with a fraction, comparable between the processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function isResult<Found>(message: unknown): message is { found: Found } {
  return typeof message === 'object' && message !== null && 'found' in message;
}
