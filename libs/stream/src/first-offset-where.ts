import type { RecordView, StreamClient } from './api.ts';
import { StreamError } from './errors.ts';

/** A broker sends one whole batch however small the limit is, and more is not wanted here. */
const ONE_BATCH = 1;

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
  while (low < end) {
    const middle = (low + end) / 2n;
    const record = await firstRecordFrom(client, { topic, partition, offset: middle }, high);
    if (record === undefined || isAtOrAfter(record)) {
      end = middle;
      found = record?.offset ?? found;
    } else {
      low = record.offset + 1n;
    }
  }
  return found;
}

/** An offset may have no record: those of a transaction's marks and of batches that were damaged. */
async function firstRecordFrom(
  client: StreamClient,
  from: { topic: string; partition: number; offset: bigint },
  high: bigint,
): Promise<RecordView | undefined> {
  for await (const chunk of client.consumer({ assignments: [from], maxBytes: ONE_BATCH })) {
    for (const record of chunk.records()) return record.offset < high ? record : undefined;
    if (chunk.nextOffset >= high) break;
  }
  return undefined;
}
