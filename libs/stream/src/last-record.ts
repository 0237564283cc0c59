import type { RecordView } from './api.ts';
import { BatchChunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import { fetch, listOffsets, offsetOutOfRange } from './requests.ts';

/** A broker sends one whole batch however small the limit is, and more is not wanted here. */
const ONE_BATCH = 1;

/** The last visible record of a partition, or undefined where it is empty. @throws StreamError */
export async function lastRecord(
  connection: Connection,
  topic: string,
  partition: number,
): Promise<RecordView | undefined> {
  const [start] = await listOffsets(connection, 'earliest', [{ topic, partition }]);
  const [end] = await listOffsets(connection, 'latest', [{ topic, partition }]);
  let offset = end!.offset - 1n;
  while (offset >= start!.offset) {
    const chunk = await chunkAt(connection, topic, partition, offset);
    let last: RecordView | undefined;
    for (const record of chunk.records()) last = record;
    if (last !== undefined) return last;
    // A batch without records for readers, such as the mark that ends a transaction: look before it.
    offset--;
  }
  return undefined;
}

async function chunkAt(connection: Connection, topic: string, partition: number, offset: bigint): Promise<BatchChunk> {
  const at = { topic, partition, offset };
  const [answer] = await fetch(connection, {
    maxBytes: ONE_BATCH,
    partitionMaxBytes: ONE_BATCH,
    maxWaitMs: 0,
    partitions: [at],
  });
  const { error, highWatermark, records } = answer!;
  if (error === 'offset-out-of-range') throw await offsetOutOfRange(connection, at);
  if (error !== undefined) throw error;
  return new BatchChunk(topic, partition, offset, highWatermark, records);
}
