import type { RecordChunk, RecordView, StreamClient } from '@tickfold/stream';
import { StreamError } from '@tickfold/stream';

export interface ReadRange {
  topic: string;
  partition: number;
  /** Left out: the log's start. */
  fromOffset?: bigint | undefined;
  /** The first offset that is not read. Left out, or beyond it: the end of what was there at the start. */
  toOffset?: bigint | undefined;
  /** Most bytes read at once. */
  maxBytes?: number | undefined;
}

/**
 * Reads a partition as it is now, and ends; a consumer would wait for more.
 * @throws StreamError `unknown-topic`, `offset-out-of-range`
 */
export async function* readRange(client: StreamClient, range: ReadRange): AsyncGenerator<RecordChunk, void, undefined> {
  const { topic, partition, maxBytes } = range;
  const watermark = (await client.admin.watermarks(topic)).find((each) => each.partition === partition);
  if (watermark === undefined) throw new StreamError('unknown-topic', `'${topic}' has no partition ${partition}`);
  const { logStart, high } = watermark;
  const offset = range.fromOffset ?? logStart;
  const wanted = range.toOffset === undefined || range.toOffset > high ? high : range.toOffset;
  if (offset >= wanted) return;
  const last = await client.lastRecord(topic, partition);
  // Behind it lies only what cannot be read, such as damaged batches: a consumer would wait there for ever.
  if (last === undefined || offset > last.offset) return;
  const end = last.offset < wanted ? last.offset + 1n : wanted;
  const limits = maxBytes === undefined ? {} : { maxBytes };
  for await (const chunk of client.consumer({ assignments: [{ topic, partition, offset }], ...limits })) {
    yield chunk.nextOffset <= end ? chunk : cutAt(chunk, end);
    if (chunk.nextOffset >= end) return;
  }
}

function cutAt(chunk: RecordChunk, end: bigint): RecordChunk {
  const { topic, partition, highWatermark } = chunk;
  return { topic, partition, highWatermark, nextOffset: end, records: () => before(chunk.records(), end) };
}

function* before(records: Iterable<RecordView>, end: bigint): Generator<RecordView, void, undefined> {
  for (const record of records) {
    if (record.offset >= end) return;
    yield record;
  }
}
