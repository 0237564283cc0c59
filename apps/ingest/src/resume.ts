import { UserError } from '@tickfold/app-runtime';
import { type FeedSource, headers, type SourceSession, sourceSessionSchema, topics } from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';

const OTHER_DATA = 'Run "npm run clean" to remove that data, or set DATA_DIR to another folder to keep both.';

/**
 * The position of the first item that the log lacks, as the last record of `market.source` tells it: that record was
 * committed together with all items before the position, and none behind it.
 *
 * One log holds one source. A source that never got as far as its first item binds nobody.
 * @throws UserError when `market.ticks` holds another source's ticks
 */
export async function readResumePosition(client: StreamClient, feed: FeedSource): Promise<number> {
  const last = await client.lastRecord(topics.source, 0);
  const position = last === undefined ? undefined : positionOf(last);
  if (position === undefined) {
    if (await holdsTicks(client)) throw held('an unknown source', feed);
    return 0;
  }
  const { identity, description } = decodeSession(last!);
  if (identity === feed.identity) return position;
  if (position > 0) throw held(`${description} [${identity}]`, feed);
  return 0;
}

function held(held: string, { description, identity }: FeedSource): UserError {
  return new UserError(
    `${topics.ticks} already holds the ticks of ${held}; the source asked for is ${description} [${identity}].`,
    OTHER_DATA,
  );
}

function decodeSession(record: RecordView): SourceSession {
  return sourceSessionSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
}

/** Undefined where the record tells none: ingest did not write it, or one of a time when ticks were not transactional. */
function positionOf(record: RecordView): number | undefined {
  const text = record.header(headers.position);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads on to the first record: what a transaction took back leaves offsets behind, and is no tick. */
async function holdsTicks(client: StreamClient): Promise<boolean> {
  for (const { partition, logStart, high } of await client.admin.watermarks(topics.ticks)) {
    if (high === logStart) continue;
    for await (const chunk of client.consumer({ assignments: [{ topic: topics.ticks, partition }] })) {
      for (const _ of chunk.records()) return true;
      if (chunk.nextOffset >= high) break;
    }
  }
  return false;
}
