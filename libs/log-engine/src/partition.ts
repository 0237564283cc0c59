import type {
  AppendResult,
  Durability,
  Isolation,
  PartitionLog,
  PartitionProducer,
  ReadResult,
  TimedOffset,
} from './api.ts';
import { EngineError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { TransactionGate } from './journal-context.ts';
import { PartitionProducers } from './partition-producers.ts';
import type { AbortedRow, UnstableTransaction } from './partition-transactions.ts';
import type { TopicPolicy } from './topic-settings.ts';

/** One partition's place in its volume's journal. Offsets are numbers inside the engine, bigints at its border. */
export class Partition implements PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** Its number in the journal. */
  readonly id: number;
  /** Replaced when the topic is altered. */
  policy: TopicPolicy;
  startOffset = 0;
  visibleOffset = 0;
  endOffset = 0;
  /** Of all its batches in the journal's files, whether or not the log still begins before them. */
  sizeBytes = 0;
  /** Where compaction goes on: no key has two records before this offset, where they could be looked into. */
  compactedUntil = 0;
  isDeleted = false;
  /** Undefined until a batch with a producer id comes. */
  producers: PartitionProducers | undefined;
  readonly #journal: Journal;
  readonly #listeners = new Set<() => void>();

  constructor(journal: Journal, topic: string, partition: number, id: number, policy: TopicPolicy) {
    this.#journal = journal;
    this.topic = topic;
    this.partition = partition;
    this.id = id;
    this.policy = policy;
  }

  get logStartOffset(): bigint {
    return BigInt(this.startOffset);
  }

  get highWatermark(): bigint {
    return BigInt(this.visibleOffset);
  }

  get stableOffset(): number {
    const unstable = this.producers?.transactions.firstUnstableOffset;
    if (unstable === undefined || unstable >= this.visibleOffset) return this.visibleOffset;
    // Retention may have taken the beginning of an open transaction.
    return Math.max(unstable, this.startOffset);
  }

  get lastStableOffset(): bigint {
    return BigInt(this.stableOffset);
  }

  get aborted(): readonly AbortedRow[] {
    return this.producers?.transactions.aborted ?? [];
  }

  get logEndOffset(): bigint {
    return BigInt(this.endOffset);
  }

  append(batches: Uint8Array, durability: Durability): Promise<AppendResult> {
    return this.#journal.append(this, batches, durability);
  }

  read(offset: bigint, maxBytes: number, isolation?: Isolation, into?: Buffer): Promise<ReadResult> {
    return this.#journal.reader.read(this, offset, maxBytes, isolation, into);
  }

  offsetForTimestamp(timestampMs: bigint, isolation?: Isolation): Promise<TimedOffset | undefined> {
    return this.#journal.reader.offsetForTimestamp(this, timestampMs, isolation);
  }

  offsetOfLatest(isolation?: Isolation): Promise<TimedOffset | undefined> {
    return this.#journal.reader.offsetOfLatest(this, isolation);
  }

  deleteRecordsBefore(offset: bigint): Promise<bigint> {
    return this.#journal.deleteRecordsBefore(this, offset);
  }

  describeProducers(): PartitionProducer[] {
    return this.producers?.describe() ?? [];
  }

  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets readers see everything below `endOffset`. */
  showUpTo(endOffset: number): void {
    if (endOffset <= this.visibleOffset) return;
    this.visibleOffset = endOffset;
    this.#tellListeners();
  }

  /** Takes note of a batch with a producer id that is appended at `endOffset`; gives the transaction that it ends. */
  addProduced(
    bytes: Buffer,
    at: number,
    appendTimeMs: number,
    transactions: TransactionGate,
  ): UnstableTransaction | undefined {
    this.producers ??= new PartitionProducers();
    const { begun, ended } = this.producers.add(bytes, at, this.endOffset, appendTimeMs);
    if (begun !== undefined) transactions.joined(begun, this, this.endOffset);
    return ended;
  }

  /** The marker of a transaction is durable. */
  settle(ended: UnstableTransaction): void {
    this.producers?.transactions.settle(ended);
    this.#tellListeners();
  }

  /**
   * The start that the log gets when the records before `offset` go; -1 stands for the high watermark.
   * @throws EngineError `offset-out-of-range`, `unknown-topic`
   */
  checkedStart(offset: bigint): number {
    if (this.isDeleted) throw new EngineError('unknown-topic', `topic ${this.topic} was deleted`);
    if (offset < -1n || offset > this.visibleOffset) {
      throw new EngineError(
        'offset-out-of-range',
        `records of ${this.topic}/${this.partition} can be deleted up to offset ${this.visibleOffset}, not ${offset}`,
        { mend: 'Name an offset up to the high watermark, or -1 for that.' },
      );
    }
    return Math.max(this.startOffset, offset < 0n ? this.visibleOffset : Number(offset));
  }

  /** What lies before that offset is not part of the log any more. */
  startAt(offset: number): void {
    this.startOffset = Math.max(this.startOffset, offset);
    this.producers?.transactions.forgetBefore(this.startOffset);
  }

  /** Everything up to and including `lastOffset` is gone from the journal. */
  drop(lastOffset: number, batchBytes: number): void {
    this.startAt(lastOffset + 1);
    this.sizeBytes -= batchBytes;
  }

  /** The topic is gone; who waits for its records looks again. */
  delete(): void {
    this.isDeleted = true;
    this.#tellListeners();
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
