import { readInteger } from '@tickfold/app-runtime';
import { replayModel } from '@tickfold/evaluation';
import { findModel } from '@tickfold/models';
import type { ReplayInput } from './job-inputs.ts';
import { serveJob } from './serve-job.ts';
import { withBroker } from './with-broker.ts';

/** The broker's own bounds: what is larger than its quota, it would not take in. */
const SMALLEST_QUOTA_BYTES = 1024 * 1024;
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;

serveJob<ReplayInput>(async (input, { signal, onProgress }) =>
  replayModel({
    dataDir: input.dataDir,
    from: input.from,
    into: input.into,
    model: findModel(input.model).create(input.parameters),
    adopt: (stagingId) => withBroker(input, signal, (client) => client.volumes.adopt(stagingId)),
    volumeQuotaBytes: readInteger(process.env, 'VOLUME_QUOTA_BYTES', DEFAULT_QUOTA_BYTES, {
      min: SMALLEST_QUOTA_BYTES,
    }),
    signal,
    onProgress,
  }),
);
