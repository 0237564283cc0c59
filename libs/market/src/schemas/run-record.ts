import { headers } from '../topics.ts';
import { runSchema } from './registry.ts';
import type { Run } from './run.ts';

/** The record of `<volume>.runs` that says who writes the volume from now on. */
export function runRecord(topic: string, run: Run) {
  return {
    topic,
    partition: 0,
    key: null,
    value: runSchema.encode(run),
    timestampMs: run.startedAtMs,
    headers: { [headers.schema]: runSchema.id },
  };
}
