import { fileURLToPath } from 'node:url';
import type { JobKind } from './job-messages.ts';
import type { JobSettings } from './job-process.ts';

const MINUTE_MS = 60_000;
/** A replay removes its staged volume; on a slow disk that takes a while. */
const CLEAN_UP_MS = 10_000;

/** Limits of each kind of job. */
export const jobKinds: Readonly<Record<JobKind, JobSettings>> = {
  replay: {
    title: 'The replay',
    entry: builtEntry('replay'),
    heapMiB: 256,
    timeoutMs: 15 * MINUTE_MS,
    cleanUpMs: CLEAN_UP_MS,
  },
  diff: {
    title: 'The comparison',
    entry: builtEntry('diff'),
    heapMiB: 256,
    timeoutMs: 10 * MINUTE_MS,
    cleanUpMs: CLEAN_UP_MS,
  },
  query: { title: 'The query', entry: builtEntry('query'), heapMiB: 256, timeoutMs: 30_000, cleanUpMs: CLEAN_UP_MS },
};

/** Seen from this file's folder as well as from its build's. */
function builtEntry(kind: JobKind): string {
  return fileURLToPath(new URL(`../../dist/jobs/${kind}-job.js`, import.meta.url));
}
