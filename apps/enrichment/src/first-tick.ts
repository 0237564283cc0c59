import { newYorkClock, topics } from '@tickfold/market';
import type { StreamClient } from '@tickfold/stream';

/** New York date of the log's first tick, awaited where there is none yet; undefined when the signal comes first. */
export async function sessionDateOfLog(client: StreamClient, signal: AbortSignal): Promise<string | undefined> {
  const partitions = await client.admin.watermarks(topics.ticks);
  const consumer = client.consumer({
    assignments: partitions.map(({ partition }) => ({ topic: topics.ticks, partition })),
    maxBytes: 4096,
  });
  const stop = () => consumer.close();
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) return undefined;
    for await (const chunk of consumer) {
      for (const { timestampMs } of chunk.records()) return newYorkClock(timestampMs).date;
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    await consumer.close();
  }
}
