import type { Job } from '../contract.ts';

export type JobKind = Job['kind'];

/** Why a job failed, in words for whoever asked for it. */
export type JobProblem = NonNullable<Job['problem']>;

/** What the web app tells a job's process. */
export type ToJob = { type: 'start'; input: unknown } | { type: 'stop' };

/** What a job's process tells the web app. */
export type FromJob =
  | { type: 'progress'; done: number; total: number }
  | { type: 'done'; result: unknown }
  | { type: 'failed'; problem: JobProblem };
