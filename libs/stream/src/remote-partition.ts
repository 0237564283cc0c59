import { BatchChunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import type { PartitionView } from './last-record.ts';
import { fetch, listOffsets, offsetOutOfRange } from './requests.ts';

/** A broker sends one whole batch however small the limit is, and more is not wanted here. */
const ONE_BATCH = 1;

/** A broker's partition as it is now. @throws StreamError */
export async function viewPartition(connection: Connection, topic: string, partition: number): Promise<PartitionView> {
  const [start] = await listOffsets(connection, 'earliest', [{ topic, partition }]);
  const [end] = await listOffsets(connection, 'latest', [{ topic, partition }]);
  return {
    logStart: start!.offset,
    high: end!.offset,
    batchAt: (offset) => batchAt(connection, { topic, partition, offset }),
  };
}

async function batchAt(
  connection: Connection,
  at: { topic: string; partition: number; offset: bigint },
): Promise<BatchChunk | undefined> {
  const limits = { maxBytes: ONE_BATCH, partitionMaxBytes: ONE_BATCH, maxWaitMs: 0, isolation: 'committed' } as const;
  const [answer] = await fetch(connection, { ...limits, partitions: [at] });
  const { error, highWatermark, records, abortedTransactions } = answer!;
  if (error === 'offset-out-of-range') throw await offsetOutOfRange(connection, at);
  if (error !== undefined) throw error;
  if (records.length === 0) return undefined;
  return new BatchChunk(at.topic, at.partition, at.offset, highWatermark, [records], abortedTransactions);
}
