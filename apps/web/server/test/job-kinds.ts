import { fileURLToPath } from 'node:url';
import type { JobKind } from '../src/jobs/job-messages.ts';
import type { JobSettings } from '../src/jobs/job-process.ts';

const ENTRY = fileURLToPath(new URL('scripted-job.mjs', import.meta.url));

/** Every kind of job is the scripted one. */
export function jobKindsOf(limits: Partial<JobSettings>): Record<JobKind, JobSettings> {
  const settings = { title: 'The work', entry: ENTRY, heapMiB: 64, timeoutMs: 60_000, cleanUpMs: 500, ...limits };
  return { replay: settings, diff: settings, query: settings };
}
