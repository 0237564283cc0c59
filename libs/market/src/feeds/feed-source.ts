import type { FeedRecord, MalformedRecord } from '../tick.ts';

/** What a source yields in its own order: a tick, or a line that is none. */
export type FeedItem = FeedRecord | MalformedRecord;

export function isMalformed(item: FeedItem): item is MalformedRecord {
  return 'reason' in item;
}

/**
 * A deterministic sequence of ticks. The same identity yields the same items at the same positions, whenever and wherever
 * it is opened, so that a position is all that a restarted reader needs to know.
 */
export interface FeedSource {
  /** Changes with whatever changes the items: kind, date, files and their content, seed. Never with where files lie. */
  readonly identity: string;
  /** For people: what is read, and from where. */
  readonly description: string;
  /** The (first) New York day of its ticks. */
  readonly eventDate: string;
  /** What a person should know before it is read: empty files, files left alone. */
  readonly warnings: readonly string[];
  /**
   * The items from a position on, in chunks. Memory stays bounded; a chunk's lines are views that belong to that chunk.
   * @throws FeedError when a file cannot be read on
   */
  records(from?: number): AsyncIterable<FeedItem[]>;
}

/** Bytes of an offending line that a dead letter keeps. */
export const MALFORMED_LINE_BYTES = 1024;

/** A malformed item with a copy of its line, so that it does not keep a whole chunk alive. */
export function malformedRecord(
  buffer: Uint8Array,
  start: number,
  end: number,
  item: { source: string; position: number; reason: string },
): MalformedRecord {
  return { ...item, line: buffer.slice(start, Math.min(end, start + MALFORMED_LINE_BYTES)) };
}
