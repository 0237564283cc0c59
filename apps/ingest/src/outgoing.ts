import { type FeedRecord, type FeedSource, headers, type MalformedRecord, topics } from '@tickfold/market';
import type { OutgoingRecord } from '@tickfold/stream';

/** `app` header of what ingest writes beside ticks. */
export const INGEST_APP = 'ingest';
/** Malformed lines have no symbol: they all go here. */
const DEAD_LETTER_PARTITION = 0;

/** A tick as a record of `market.ticks`. */
export function tickRecord(record: FeedRecord, partition: number): OutgoingRecord {
  return {
    topic: topics.ticks,
    partition,
    key: record.symbol,
    value: record.line,
    timestampMs: record.eventTimeMs,
    // Names that are computed for every tick would cost more than the rest of its record.
    headers: {
      kind: record.kind,
      source: record.source,
      position: String(record.position),
    } satisfies Partial<Record<keyof typeof headers, string>>,
  };
}

/** A malformed line as a record of `market.dead-letter`. */
export function deadLetterRecord(record: MalformedRecord, feed: FeedSource): OutgoingRecord {
  return {
    topic: topics.marketDeadLetter,
    partition: DEAD_LETTER_PARTITION,
    key: null,
    value: record.line,
    // A line without a readable time has at least its day.
    timestampMs: Date.parse(`${feed.eventDate}T00:00:00Z`),
    headers: {
      [headers.app]: INGEST_APP,
      [headers.source]: record.source,
      [headers.position]: String(record.position),
      [headers.reason]: record.reason,
    },
  };
}
