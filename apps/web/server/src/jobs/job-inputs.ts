import type { StreamConfig } from '@tickfold/stream';
import type { DiffRequest, QueryRequest, ReplayRequest } from '../contract.ts';

/** Where a job's process finds the streams and the snapshots. */
export interface JobPlace {
  dataDir: string;
  stream: StreamConfig;
}

export type ReplayInput = JobPlace & ReplayRequest;
export type DiffInput = JobPlace & DiffRequest;
export type QueryInput = JobPlace & QueryRequest;
