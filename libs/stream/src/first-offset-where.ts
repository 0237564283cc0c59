import type { RecordChunk, RecordView, StreamClient } from './api.ts';
import { StreamError } from './errors.ts';

/** A broker sends one whole batch however small the limit is, and more is not wanted here; there is always one. */
const ONE_BATCH = { maxBytes: 1, maxWaitMs: 1 };

/**
 * Offset of the first record for which `isAtOrAfter` holds, found by halving: about twenty reads for a million records.
 * The high watermark, as it was when the search began, where it holds for none.
 * @param isAtOrAfter where it holds for a record, it must hold for every later one of the partition
 * @throws StreamError `unknown-topic`, `offset-out-of-range` where retention overtook the search, `disconnected`
 */
export async function firstOffsetWhere(
  client: StreamClient,
  topic: string,
  partition: number,
  isAtOrAfter: (record: RecordView) => boolean,
): Promise<bigint> {
  const watermark = (await client.admin.watermarks(topic)).find((each) => each.partition === partition);
  if (watermark === undefined) throw new StreamError('unknown-topic', `'${topic}' has no partition ${partition}`);
  const { logStart: start, high } = watermark;
  const last = start < high ? await client.lastRecord(topic, partition) : undefined;
  if (last === undefined) return high;
  // It holds for no record below `low`, and for every one from `end` on, the first of which is at `found`.
  let low = start;
  // Behind the last record lies only what cannot be read, such as damaged batches: a consumer would wait there for ever.
  let end = last.offset < high ? last.offset + 1n : high;
  let found = high;
  let middle = (low + end) / 2n;
  // One reader that jumps: on a cluster, each new one would first have to find its way.
  const consumer = client.consumer({ assignments: [{ topic, partition, offset: middle }], ...ONE_BATCH });
  for await (const chunk of consumer) {
    const record = firstOf(chunk);
    // An offset may have no record: those of a transaction's marks and of batches that were damaged.
    if (record === undefined && chunk.nextOffset < high) continue;
    if (record === undefined || record.offset >= high || isAtOrAfter(record)) {
      end = middle;
      if (record !== undefined && record.offset < high) found = record.offset;
    } else {
      low = record.offset + 1n;
    }
    if (low >= end) break;
    middle = (low + end) / 2n;
    consumer.seek({ topic, partition, offset: middle });
  }
  return found;
}

function firstOf(chunk: RecordChunk): RecordView | undefined {
  for (const record of chunk.records()) return record;
  return undefined;
}
