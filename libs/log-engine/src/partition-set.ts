import type { ControlRecord, LogStartRow, TopicRow } from './control-record.ts';
import type { Journal } from './journal.ts';
import type { Checkpoint } from './journal-state.ts';
import { Partition } from './partition.ts';
import { producersCheckpoint } from './partition-producers.ts';
import type { SealedSegment } from './sealed-segment.ts';
import type { Segment } from './segment.ts';
import { topicPolicy } from './topic-settings.ts';

/** The partitions of a journal, by their numbers in it, as they are after all that was appended. */
export class PartitionSet extends Map<number, Partition> {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    super();
    this.#journal = journal;
  }

  /** Makes those of a topic that are not there yet, and gives all of them the topic's policy. */
  setTopic({ name, partitionIds, settings }: TopicRow): void {
    const policy = topicPolicy(settings);
    partitionIds.forEach((id, number) => {
      const partition = this.get(id);
      if (partition === undefined) this.set(id, new Partition(this.#journal, name, number, id, policy));
      else partition.policy = policy;
    });
  }

  /** @param topic the row of the topic that the record is about, as it was before the record */
  apply(record: ControlRecord, topic: TopicRow | undefined): void {
    if (record.kind === 'topic-created' || record.kind === 'topic-altered') this.setTopic(record);
    if (record.kind === 'topic-deleted') for (const id of topic?.partitionIds ?? []) this.#deletePartition(id);
    if (record.kind === 'log-starts-moved') {
      for (const [id, startOffset] of record.starts) this.get(id)?.startAt(startOffset);
    }
  }

  /** Retention took a segment. */
  drop(segment: SealedSegment): void {
    for (const row of segment.index.directory.rows()) this.get(row.partitionId)?.drop(row.lastOffset, row.batchBytes);
  }

  /** The starts of the logs that have a part in the segment and one in those before it, when the segment is gone. */
  startsBehind(segment: SealedSegment, older: readonly Segment[]): LogStartRow[] {
    const starts: LogStartRow[] = [];
    for (const { partitionId, lastOffset } of segment.index.directory.rows()) {
      const partition = this.get(partitionId);
      if (partition === undefined || partition.startOffset > lastOffset) continue;
      if (older.some(({ index }) => index.firstOffset(partitionId) !== undefined))
        starts.push([partitionId, lastOffset + 1]);
    }
    return starts;
  }

  /** What was in some segments is in another one now, as far as it is still wanted. */
  countCarried(run: readonly SealedSegment[], into: SealedSegment): void {
    for (const segment of run) this.#count(segment, -1);
    this.#count(into, 1);
  }

  /** Forgets producers that appended nothing since then. Their open transactions keep them. */
  expireProducers(beforeMs: number): void {
    for (const { producers } of this.values()) producers?.expire(beforeMs);
  }

  toCheckpoint(): Pick<Checkpoint, 'partitions' | 'compacted'> & ReturnType<typeof producersCheckpoint> {
    const partitions = [...this.values()];
    return {
      partitions: partitions.map(({ id, startOffset, endOffset }) => [id, startOffset, endOffset]),
      ...producersCheckpoint(partitions),
      compacted: partitions.flatMap(({ id, compactedUntil }) => (compactedUntil > 0 ? [[id, compactedUntil]] : [])),
    };
  }

  #deletePartition(id: number): void {
    this.get(id)?.delete();
    this.delete(id);
  }

  #count(segment: SealedSegment, sign: 1 | -1): void {
    for (const row of segment.index.directory.rows()) {
      const partition = this.get(row.partitionId);
      if (partition !== undefined) partition.sizeBytes += sign * row.batchBytes;
    }
  }
}
