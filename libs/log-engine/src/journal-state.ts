import type { FileDescription, Visibility } from './api.ts';
import type { ControlRecord, OffsetRow, TopicRow } from './control-record.ts';
import type { ProducersCheckpoint } from './partition-producers.ts';
import { type TransactionsCheckpoint, TransactionsState } from './transactions-state.ts';

/** Payload of a checkpoint frame, as JSON: all that the frames after it cannot tell. Older ones lack what is optional. */
export interface Checkpoint extends Partial<ProducersCheckpoint & TransactionsCheckpoint> {
  visibility: Visibility;
  nextPartitionId: number;
  topics: TopicRow[];
  /** Of each partition: its id, its log's start and its next offset. */
  partitions: [partitionId: number, logStartOffset: number, nextOffset: number][];
  groups: [group: string, offsets: OffsetRow[]][];
  /** Of each partition that was compacted, up to which offset. */
  compacted?: [partitionId: number, offset: number][];
  /** The catalog of files. */
  files?: FileDescription[];
  /** Paths of files that left the catalog and may not be gone from the disk yet. */
  removedFiles?: string[];
}

/** The fold over control records: which topics and group offsets a volume has. */
export class JournalState {
  readonly visibility: Visibility;
  readonly topics = new Map<string, TopicRow>();
  /** By path. */
  readonly files = new Map<string, FileDescription>();
  readonly removedFiles = new Set<string>();
  nextPartitionId = 0;
  /** Where records told logs to start, by partition id; partitions themselves know of all other reasons. */
  readonly movedStarts = new Map<number, number>();
  readonly transactions: TransactionsState;
  readonly #groups = new Map<string, Map<string, OffsetRow>>();

  constructor(visibility: Visibility, transactions = new TransactionsState()) {
    this.visibility = visibility;
    this.transactions = transactions;
  }

  static fromCheckpoint(checkpoint: Checkpoint): JournalState {
    const state = new JournalState(checkpoint.visibility, TransactionsState.fromCheckpoint(checkpoint));
    state.nextPartitionId = checkpoint.nextPartitionId;
    for (const topic of checkpoint.topics) state.topics.set(topic.name, topic);
    for (const [group, offsets] of checkpoint.groups) state.apply({ kind: 'offsets-committed', group, offsets });
    for (const file of checkpoint.files ?? []) state.files.set(file.path, file);
    for (const path of checkpoint.removedFiles ?? []) state.removedFiles.add(path);
    return state;
  }

  toCheckpoint(partitions: Checkpoint['partitions']): Checkpoint {
    return {
      visibility: this.visibility,
      nextPartitionId: this.nextPartitionId,
      topics: [...this.topics.values()],
      partitions,
      groups: this.groups().map((group) => [group, this.offsetsOf(group)]),
      files: [...this.files.values()],
      removedFiles: [...this.removedFiles],
      ...this.transactions.toCheckpoint(),
    };
  }

  apply(record: ControlRecord): void {
    switch (record.kind) {
      case 'topic-created':
      case 'topic-altered': {
        const { name, id, partitionIds, settings } = record;
        this.topics.set(name, { name, id, partitionIds, settings });
        this.nextPartitionId = Math.max(this.nextPartitionId, ...partitionIds.map((partitionId) => partitionId + 1));
        return;
      }
      case 'topic-deleted':
        for (const id of this.topics.get(record.name)?.partitionIds ?? []) this.movedStarts.delete(id);
        this.topics.delete(record.name);
        this.#forgetOffsetsOf(record.name);
        return;
      case 'log-starts-moved':
        for (const [id, startOffset] of record.starts) {
          this.movedStarts.set(id, Math.max(startOffset, this.movedStarts.get(id) ?? 0));
        }
        return;
      case 'offsets-committed':
        this.#commit(record.group, record.offsets);
        return;
      case 'offsets-deleted':
        this.#groups.delete(record.group);
        return;
      case 'partition-offsets-deleted':
        this.#forgetOffsets(record.group, record.partitions);
        return;
      case 'topic-offsets-deleted':
        this.#forgetOffsetsOf(record.topic);
        return;
      case 'file-published': {
        const { kind: _, ...file } = record;
        this.files.set(file.path, file);
        this.removedFiles.delete(file.path);
        return;
      }
      case 'file-removed':
        this.files.delete(record.path);
        this.removedFiles.add(record.path);
        return;
      default: {
        const committed = this.transactions.apply(record);
        if (committed !== undefined) this.#commit(committed.group, committed.offsets);
      }
    }
  }

  groups(): string[] {
    return [...this.#groups.keys()];
  }

  offsetsOf(group: string): OffsetRow[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  hasOffsetsOfTopic(topic: string): boolean {
    if (this.transactions.hasOffsetsOfTopic(topic)) return true;
    return this.groups().some((group) => this.offsetsOf(group).some((row) => row[0] === topic));
  }

  #commit(group: string, rows: readonly OffsetRow[]): void {
    const offsets = this.#groups.get(group) ?? new Map<string, OffsetRow>();
    this.#groups.set(group, offsets);
    for (const row of rows) offsets.set(`${row[0]}/${row[1]}`, row);
  }

  #forgetOffsets(group: string, partitions: readonly [topic: string, partition: number][]): void {
    const offsets = this.#groups.get(group);
    for (const [topic, partition] of partitions) offsets?.delete(`${topic}/${partition}`);
    if (offsets?.size === 0) this.#groups.delete(group);
  }

  #forgetOffsetsOf(topic: string): void {
    this.transactions.forgetOffsetsOf(topic);
    for (const [group, offsets] of this.#groups) {
      for (const [key, row] of offsets) if (row[0] === topic) offsets.delete(key);
      if (offsets.size === 0) this.#groups.delete(group);
    }
  }
}
