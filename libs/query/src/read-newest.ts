import { headers, topics } from '@tickfold/market';
import { firstOffsetWhere, type RecordView, type StreamClient } from '@tickfold/stream';
import { readRange } from '@tickfold/volumes';

/** A part of a partition: `from` up to, not including, `to`. */
export interface Range {
  topic: string;
  partition: number;
  from: bigint;
  to: bigint;
}

/** The newest ticks of each partition. */
export async function newestTicks(client: StreamClient, newestPerPartition: number): Promise<Range[]> {
  const watermarks = await client.admin.watermarks(topics.enriched);
  return watermarks.map(({ partition, logStart, high }) => {
    const newest = high - BigInt(newestPerPartition);
    return { topic: topics.enriched, partition, from: newest > logStart ? newest : logStart, to: high };
  });
}

/** What was written in answer to these ticks: a model's records lie in the partition of their tick, in its order. */
export async function answersTo(client: StreamClient, topic: string, ticks: readonly Range[]): Promise<Range[]> {
  const watermarks = await client.admin.watermarks(topic);
  return Promise.all(
    watermarks.map(async ({ partition, logStart, high }) => {
      const asked = ticks.find((range) => range.partition === partition);
      if (asked === undefined) return { topic, partition, from: high, to: high };
      const answerTo = (tick: bigint) =>
        firstOffsetWhere(client, topic, partition, (record) => (inputOf(record) ?? asked.from) >= tick);
      const from = asked.from === 0n ? logStart : await answerTo(asked.from);
      // Live, the model goes on meanwhile: what answers a later tick than these is left out.
      return { topic, partition, from, to: await answerTo(asked.to) };
    }),
  );
}

/** Offset of the tick that a record answers; undefined where no processor wrote it. */
function inputOf(record: RecordView): bigint | undefined {
  const text = record.header(headers.input);
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + Number(to - from), 0);
}

/**
 * Reads ranges to their ends, one partition after the other.
 * @param onRead told how many records were read since the last call
 * @throws StreamError, or the signal's reason
 */
export async function readRanges(
  client: StreamClient,
  ranges: readonly Range[],
  apply: (record: RecordView) => void,
  { signal, onRead }: { signal?: AbortSignal | undefined; onRead(count: number): void },
): Promise<void> {
  for (const { topic, partition, from, to } of ranges) {
    for await (const chunk of readRange(client, { topic, partition, fromOffset: from, toOffset: to })) {
      let count = 0;
      for (const record of chunk.records()) {
        apply(record);
        count++;
      }
      onRead(count);
      signal?.throwIfAborted();
    }
  }
}
