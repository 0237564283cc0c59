import { historyPath } from '@tickfold/history';
import { runPreparedQuery } from '@tickfold/query';
import type { QueryInput } from './job-inputs.ts';
import { serveJob } from './serve-job.ts';
import { withBroker } from './with-broker.ts';

serveJob<QueryInput>((input, { signal, onProgress }) =>
  withBroker(input, signal, (client) => {
    const { name, model, dataDir } = input;
    return runPreparedQuery({ name, model, client, historyPath: historyPath(dataDir), signal, onProgress });
  }),
);
