import type { StreamClient } from '@tickfold/stream';
import { connectVolumes } from '@tickfold/volumes';
import type { JobPlace } from './job-inputs.ts';

/** A broker that is just being restarted is back within this. */
const CONNECT_LIMIT_MS = 5_000;

/**
 * Jobs reach volumes through the broker, or the cluster, only: one that opened the data folder itself would keep the broker from coming
 * back.
 * @throws StreamError `unreachable`
 */
export async function withBroker<Result>(
  { stream, dataDir }: JobPlace,
  signal: AbortSignal,
  use: (client: StreamClient) => Promise<Result>,
): Promise<Result> {
  const config = { ...stream, clientId: 'web-job', connectTimeoutMs: CONNECT_LIMIT_MS };
  const client = await connectVolumes(config, dataDir, signal);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
