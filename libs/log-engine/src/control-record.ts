import type { FileDescription, TransactionOutcome } from './api.ts';
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

/** Offsets that a transaction will give a group; `id` tells them apart from those of the producer's next transaction. */
export interface PendingOffsets {
  producerId: number;
  group: string;
  id: number;
  offsets: OffsetRow[];
}

/** How a transaction ends, and where: what is not there yet after a crash is done again. */
export interface TransactionDecision {
  producerId: number;
  epoch: number;
  outcome: TransactionOutcome;
  /** Whether its producer asked for that, or the engine on a time-out or for a successor. */
  endedBy: 'producer' | 'engine';
  /** Who may begin the next transaction. */
  next: [producerId: number, epoch: number];
  partitions: [topic: string, partition: number, firstOffset: number][];
  /** Ids of pending offsets. */
  groups: [group: string, id: number][];
}

export type TransactionControl =
  | {
      kind: 'producer-opened';
      transactionalId: string;
      producerId: number;
      epoch: number;
      timeoutMs: number;
      atMs: number;
      expected?: [producerId: number, epoch: number];
    }
  | ({ kind: 'transaction-decided'; transactionalId: string; atMs: number } & TransactionDecision)
  | { kind: 'transactional-id-expired'; transactionalId: string }
  | ({ kind: 'offsets-pending' } & PendingOffsets)
  | { kind: 'pending-offsets-ended'; producerId: number; group: string; outcome: TransactionOutcome };

/** Everything that changes a volume besides record batches. Payload of control frames, as JSON. */
export type ControlRecord =
  | ({ kind: 'topic-created' } & TopicRow)
  /** As the topic is from now on; it keeps the partitions that it had. */
  | ({ kind: 'topic-altered' } & TopicRow)
  | { kind: 'topic-deleted'; name: string }
  | { kind: 'log-starts-moved'; starts: LogStartRow[] }
  | { kind: 'offsets-committed'; group: string; offsets: OffsetRow[] }
  | { kind: 'offsets-deleted'; group: string }
  | { kind: 'partition-offsets-deleted'; group: string; partitions: [topic: string, partition: number][] }
  | { kind: 'topic-offsets-deleted'; topic: string }
  | ({ kind: 'file-published' } & FileDescription)
  | { kind: 'file-removed'; path: string }
  | TransactionControl;

const KINDS: ReadonlySet<string> = new Set<ControlRecord['kind']>([
  'topic-created',
  'topic-altered',
  'topic-deleted',
  'log-starts-moved',
  'offsets-committed',
  'offsets-deleted',
  'partition-offsets-deleted',
  'topic-offsets-deleted',
  'file-published',
  'file-removed',
  'producer-opened',
  'transaction-decided',
  'transactional-id-expired',
  'offsets-pending',
  'pending-offsets-ended',
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
