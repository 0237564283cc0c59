import type { AppendResult, Durability, PartitionLog, ReadResult } from './api.ts';
import type { Journal } from './journal.ts';
import { PartitionProducers } from './partition-producers.ts';

/** One partition's place in its volume's journal. Offsets are numbers inside the engine, bigints at its border. */
export class Partition implements PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** Its number in the journal. */
  readonly id: number;
  readonly maxBatchBytes: number;
  startOffset = 0;
  visibleOffset = 0;
  endOffset = 0;
  sizeBytes = 0;
  isDeleted = false;
  /** Undefined until a batch with a producer id comes. */
  producers: PartitionProducers | undefined;
  readonly #journal: Journal;
  readonly #listeners = new Set<() => void>();

  constructor(journal: Journal, topic: string, partition: number, id: number, maxBatchBytes: number) {
    this.#journal = journal;
    this.topic = topic;
    this.partition = partition;
    this.id = id;
    this.maxBatchBytes = maxBatchBytes;
  }

  get logStartOffset(): bigint {
    return BigInt(this.startOffset);
  }

  get highWatermark(): bigint {
    return BigInt(this.visibleOffset);
  }

  get logEndOffset(): bigint {
    return BigInt(this.endOffset);
  }

  append(batches: Uint8Array, durability: Durability): Promise<AppendResult> {
    return this.#journal.append(this, batches, durability);
  }

  read(offset: bigint, maxBytes: number): Promise<ReadResult> {
    return this.#journal.reader.read(this, offset, maxBytes);
  }

  offsetForTimestamp(timestampMs: bigint): Promise<{ offset: bigint; timestampMs: bigint } | undefined> {
    return this.#journal.reader.offsetForTimestamp(this, timestampMs);
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

  /** Takes note of a batch with a producer id that was appended. */
  addProduced(bytes: Buffer, at: number, baseOffset: number, appendTimeMs: number): void {
    this.producers ??= new PartitionProducers();
    this.producers.add(bytes, at, baseOffset, appendTimeMs);
  }

  /** Retention took everything up to and including `lastOffset`. */
  drop(lastOffset: number, batchBytes: number): void {
    this.startOffset = Math.max(this.startOffset, lastOffset + 1);
    this.sizeBytes -= batchBytes;
    this.producers?.transactions.forgetBefore(this.startOffset);
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
