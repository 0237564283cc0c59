import { UserError } from '@tickfold/app-runtime';
import { type FeedSource, headers, type SourceSession, sourceSessionSchema, topics } from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';

/** `app` header of ingest's dead letters. */
export const INGEST_APP = 'ingest';
/** Malformed lines have no symbol: they all go here. */
export const DEAD_LETTER_PARTITION = 0;

/**
 * Before a position that is a multiple of this is sent, everything before it is durable. So a log that holds any record
 * from there on holds all before it, in every partition, and a restart need not look further back.
 */
export const CHECKPOINT_POSITIONS = 262_144;

const NONE = -1;
const OTHER_DATA = 'Run "npm run clean" to remove that data, or set DATA_DIR to another folder to keep both.';

/** Positions of the last records that the log holds; -1 where it holds none. */
export interface ResumePoint {
  /** By partition of `market.ticks`. */
  ticks: number[];
  deadLetters: number;
}

/** The first position that the log may lack. */
export function firstPossiblyMissing({ ticks, deadLetters }: ResumePoint): number {
  const highest = Math.max(0, deadLetters, ...ticks);
  return highest - (highest % CHECKPOINT_POSITIONS);
}

/**
 * One log holds one source. A source that never got as far as its first record binds nobody.
 * @throws UserError when `market.ticks` holds another source's ticks
 */
export async function checkSource(client: StreamClient, feed: FeedSource): Promise<void> {
  if (!(await holdsAnything(client))) return;
  const last = await client.lastRecord(topics.source, 0);
  const session = last === undefined ? undefined : decodeSession(last);
  if (session?.identity === feed.identity) return;
  const held = session === undefined ? 'an unknown source' : `${session.description} [${session.identity}]`;
  throw new UserError(
    `${topics.ticks} already holds the ticks of ${held}; the source asked for is ${feed.description} [${feed.identity}].`,
    OTHER_DATA,
  );
}

/** Reads from the log itself how far ingest got, however it ended. @throws UserError when others wrote to it */
export async function readResumePoint(client: StreamClient): Promise<ResumePoint> {
  const ticks: number[] = [];
  for (const { partition } of await client.admin.watermarks(topics.ticks)) {
    // A partition can be empty though it was written to: the volume's cap took its records. They lie before the checkpoint.
    const last = await client.lastRecord(topics.ticks, partition);
    ticks[partition] = last === undefined ? NONE : positionOf(last);
  }
  return { ticks, deadLetters: await lastDeadLetterPosition(client) };
}

async function holdsAnything(client: StreamClient): Promise<boolean> {
  const partitions = await client.admin.watermarks(topics.ticks);
  return partitions.some(({ high }) => high > 0n) || (await lastDeadLetterPosition(client)) !== NONE;
}

function decodeSession(record: RecordView): SourceSession {
  return sourceSessionSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
}

/** Other apps of the volume write dead letters too: when the last one is another's, all are looked through. */
async function lastDeadLetterPosition(client: StreamClient): Promise<number> {
  const topic = topics.marketDeadLetter;
  const last = await client.lastRecord(topic, DEAD_LETTER_PARTITION);
  if (last === undefined) return NONE;
  if (isOwn(last)) return positionOf(last);
  let position = NONE;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition: DEAD_LETTER_PARTITION }] })) {
    for (const record of chunk.records()) if (isOwn(record)) position = positionOf(record);
    if (chunk.nextOffset > last.offset) break;
  }
  return position;
}

function isOwn(record: RecordView): boolean {
  return record.header(headers.app) === INGEST_APP;
}

function positionOf(record: RecordView): number {
  const text = record.header(headers.position);
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw new UserError(
    `${record.topic}, partition ${record.partition}, offset ${record.offset} was not written by ingest: its header "${headers.position}" is ${text ?? 'missing'}.`,
    OTHER_DATA,
  );
}
