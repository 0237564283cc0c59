import { headers, type Run, runSchema, SchemaError, volumeTopics } from '@tickfold/market';
import type { StreamClient } from '@tickfold/stream';

/**
 * What wrote a volume last; undefined where nobody has said so, and where somebody else's topic has the name of its runs.
 * @param topics names of all topics that are there
 * @throws StreamError
 */
export async function lastRunOfVolume(
  client: StreamClient,
  volume: string,
  topics: ReadonlySet<string>,
): Promise<Run | undefined> {
  const { runs } = volumeTopics(volume);
  const record = topics.has(runs) ? await client.lastRecord(runs, 0) : undefined;
  if (record === undefined) return undefined;
  try {
    return runSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
