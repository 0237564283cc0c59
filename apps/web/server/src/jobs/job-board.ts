import { randomUUID } from 'node:crypto';
import type { Job } from '../contract.ts';
import type { JobKind } from './job-messages.ts';
import { type JobEnd, type JobProcess, type JobSettings, startJobProcess } from './job-process.ts';

/** Jobs of one kind that may wait behind the running one. */
export const MAX_WAITING = 4;
/** Ended jobs whose results can still be asked for. */
export const MAX_ENDED = 20;

/** More of a kind than may wait. */
export class JobQueueFullError extends Error {
  constructor(kind: JobKind) {
    super(`${MAX_WAITING} jobs wait behind the ${kind} that runs. Ask again when one of them has ended.`);
    this.name = 'JobQueueFullError';
  }
}

interface Entry {
  job: Job;
  input: unknown;
  process?: JobProcess;
  ended: Promise<void>;
  end(outcome: JobEnd): void;
}

export interface JobBoardOptions {
  kinds: Readonly<Record<JobKind, JobSettings>>;
  /** Told what a job's process wrote to its standard error. */
  onFault(job: Pick<Job, 'id' | 'kind'>, text: string): void;
}

/** Work that takes longer than an answer may: one job of each kind runs at a time, a few more wait. */
export class JobBoard {
  readonly #options: JobBoardOptions;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<JobKind>();
  #closed = false;

  constructor(options: JobBoardOptions) {
    this.#options = options;
  }

  /** @throws JobQueueFullError */
  start(kind: JobKind, input: unknown): Job {
    if (this.#waiting(kind).length >= MAX_WAITING) throw new JobQueueFullError(kind);
    this.#forgetOld();
    const entry = newEntry(kind, input);
    this.#entries.set(entry.job.id, entry);
    this.#runNext(kind);
    return entry.job;
  }

  find(id: string): Job | undefined {
    return this.#entries.get(id)?.job;
  }

  /** Inputs of the jobs of a kind that run or wait. */
  underWay(kind: JobKind): unknown[] {
    return [...this.#entries.values()].filter((entry) => isUnderWay(entry, kind)).map(({ input }) => input);
  }

  /** Resolves when the job has ended: cancelled, or finished at the last moment. Undefined for an unknown one. */
  async cancel(id: string): Promise<Job | undefined> {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    this.#stop(entry, 'stop');
    await entry.ended;
    return entry.job;
  }

  /** Cancels all, and resolves when every process is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#entries.values()];
    for (const entry of entries) this.#stop(entry, 'shutDown');
    await Promise.all(entries.map(({ ended }) => ended));
  }

  #stop(entry: Entry, how: 'stop' | 'shutDown'): void {
    if (entry.process) entry.process[how]();
    else entry.end({ problem: { detail: 'It was cancelled before it began.', mend: 'Start it again.' } });
  }

  #waiting(kind: JobKind): Entry[] {
    return [...this.#entries.values()].filter((entry) => isUnderWay(entry, kind) && !entry.process);
  }

  #runNext(kind: JobKind): void {
    const [entry] = this.#waiting(kind);
    if (!entry || this.#running.has(kind) || this.#closed) return;
    const { job, input } = entry;
    this.#running.add(kind);
    entry.process = startJobProcess({
      ...this.#options.kinds[kind],
      input,
      onProgress: (progress) => Object.assign(job, progress),
      onFault: (text) => this.#options.onFault(job, text),
    });
    void entry.process.ended.then((outcome) => {
      entry.end(outcome);
      this.#running.delete(kind);
      this.#runNext(kind);
    });
  }

  #forgetOld(): void {
    const ended = [...this.#entries.values()].filter(({ job }) => job.state !== 'running');
    for (const { job } of ended.slice(0, -MAX_ENDED)) this.#entries.delete(job.id);
  }
}

function newEntry(kind: JobKind, input: unknown): Entry {
  const job: Job = { id: randomUUID(), kind, state: 'running', done: 0, total: 0, result: null, problem: null };
  let hasEnded = (): void => {};
  const ended = new Promise<void>((resolve) => {
    hasEnded = resolve;
  });
  return {
    job,
    input,
    ended,
    end(outcome) {
      if (job.state !== 'running') return;
      if ('result' in outcome) Object.assign(job, { state: 'done', result: outcome.result });
      else Object.assign(job, { state: 'failed', problem: outcome.problem });
      hasEnded();
    },
  };
}

function isUnderWay({ job }: Entry, kind: JobKind): boolean {
  return job.kind === kind && job.state === 'running';
}
