import type { FileDescription } from './api.ts';
import { EngineError } from './errors.ts';

/** A group's position as it stands in the journal. Offsets are decimal text: they may pass 2^53. */
export type OffsetRow = [topic: string, partition: number, offset: string, leaderEpoch: number, metadata: string];

export interface TopicRow {
  name: string;
  /** 16 bytes in hexadecimal. */
  id: string;
  /** Journal-wide numbers of its partitions, in their order; never given to another topic. */
  partitionIds: number[];
  settings: Record<string, string>;
}

/** The first offset that a partition's log has from now on. */
export type LogStartRow = [partitionId: number, logStartOffset: number];

/** Everything that changes a volume besides record batches. Payload of control frames, as JSON. */
export type ControlRecord =
  | ({ kind: 'topic-created' } & TopicRow)
  /** As the topic is from now on; it keeps the partitions that it had. */
  | ({ kind: 'topic-altered' } & TopicRow)
  | { kind: 'topic-deleted'; name: string }
  | { kind: 'log-starts-moved'; starts: LogStartRow[] }
  | { kind: 'offsets-committed'; group: string; offsets: OffsetRow[] }
  | { kind: 'offsets-deleted'; group: string }
  | { kind: 'topic-offsets-deleted'; topic: string }
  | ({ kind: 'file-published' } & FileDescription)
  | { kind: 'file-removed'; path: string };

const KINDS: ReadonlySet<string> = new Set<ControlRecord['kind']>([
  'topic-created',
  'topic-altered',
  'topic-deleted',
  'log-starts-moved',
  'offsets-committed',
  'offsets-deleted',
  'topic-offsets-deleted',
  'file-published',
  'file-removed',
]);

/**
 * Reads a control frame's text.
 * @throws EngineError `format-newer`: skipping a kind that this code does not know could undo what it meant
 */
export function parseControlRecord(text: string): ControlRecord {
  const record = JSON.parse(text) as ControlRecord;
  if (!KINDS.has(record.kind)) {
    throw new EngineError('format-newer', `the journal holds a record of the unknown kind "${record.kind}"`);
  }
  return record;
}
