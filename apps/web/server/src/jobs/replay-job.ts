import { replayModel } from '@tickfold/evaluation';
import { findModel } from '@tickfold/models';
import type { ReplayInput } from './job-inputs.ts';
import { serveJob } from './serve-job.ts';
import { withBroker } from './with-broker.ts';

serveJob<ReplayInput>((input, { signal, onProgress }) =>
  replayModel({
    dataDir: input.dataDir,
    from: input.from,
    into: input.into,
    model: findModel(input.model).create(input.parameters),
    adopt: (stagingId) => withBroker(input, signal, (client) => client.volumes.adopt(stagingId)),
    signal,
    onProgress,
  }),
);
