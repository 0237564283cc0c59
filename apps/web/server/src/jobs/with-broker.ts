import { connect, type StreamClient } from '@tickfold/stream';
import type { JobPlace } from './job-inputs.ts';

/** A broker that is just being restarted is back within this. */
const CONNECT_LIMIT_MS = 5_000;

/**
 * Jobs reach volumes through the broker only: one that opened the data folder itself would keep the broker from coming
 * back.
 * @throws StreamError `unreachable`
 */
export async function withBroker<Result>(
  { brokers }: JobPlace,
  signal: AbortSignal,
  use: (client: StreamClient) => Promise<Result>,
): Promise<Result> {
  const client = await connect({ brokers, clientId: 'web-job', connectTimeoutMs: CONNECT_LIMIT_MS }, signal);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
