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

/** Everything that changes a volume besides record batches. Payload of control frames, as JSON. */
export type ControlRecord =
  | ({ kind: 'topic-created' } & TopicRow)
  | { kind: 'topic-deleted'; name: string }
  | { kind: 'offsets-committed'; group: string; offsets: OffsetRow[] }
  | { kind: 'offsets-deleted'; group: string }
  | { kind: 'topic-offsets-deleted'; topic: string };

const KINDS: ReadonlySet<string> = new Set<ControlRecord['kind']>([
  'topic-created',
  'topic-deleted',
  'offsets-committed',
  'offsets-deleted',
  'topic-offsets-deleted',
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
