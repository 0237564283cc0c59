import {
  BatchRecord,
  iterateBatches,
  type RecordBatch,
  RecordBatchError,
  RecordCursor,
} from '@tickfold/kafka-protocol';
import type { RecordChunk, RecordHeader, RecordView, TopicPartition } from './api.ts';
import { StreamError } from './errors.ts';

const NO_BYTES = Buffer.alloc(0);

/** A transaction that was taken back: whose, and where its records begin in a partition. */
export interface AbortedTransaction {
  producerId: bigint;
  firstOffset: bigint;
}

/** A record of a batch that knows where it came from. A header's null value reads as empty. */
export class StreamRecord extends BatchRecord implements RecordView {
  readonly #origin: TopicPartition;

  constructor(cursor: RecordCursor, origin: TopicPartition) {
    super(cursor);
    this.#origin = origin;
  }

  get topic(): string {
    return this.#origin.topic;
  }

  get partition(): number {
    return this.#origin.partition;
  }

  override headers(): (RecordHeader & { value: Buffer })[] {
    return super.headers().map(({ key, value }) => ({ key, value: value ?? NO_BYTES }));
  }
}

/** The batches that one read brought for one partition. */
export class BatchChunk implements RecordChunk {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: bigint;
  readonly nextOffset: bigint;
  readonly #fromOffset: bigint;
  readonly #batches: RecordBatch[];

  /**
   * Checks each batch: whole, version 2, CRC.
   * @param fromOffset records below it are skipped: a log gives whole batches
   * @param batches whole batches in the order of their offsets, each by itself or several back to back
   * @param aborted transactions that were taken back and have records among them: those are left out
   * @throws StreamError `corrupt-batch`
   */
  constructor(
    topic: string,
    partition: number,
    fromOffset: bigint,
    highWatermark: bigint,
    batches: readonly Uint8Array[],
    aborted: readonly AbortedTransaction[] = [],
  ) {
    this.topic = topic;
    this.partition = partition;
    this.highWatermark = highWatermark;
    this.#fromOffset = fromOffset;
    const whole: RecordBatch[] = [];
    try {
      for (const bytes of batches) for (const batch of iterateBatches(bytes)) whole.push(batch);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
    for (const batch of whole) {
      if (!batch.crcIsValid())
        throw this.#corrupt(`the CRC of the batch at offset ${batch.header.baseOffset} is wrong`);
    }
    const last = whole.at(-1);
    if (last === undefined) throw this.#corrupt('an answer holds no whole batch');
    this.nextOffset = last.header.lastOffset + 1n;
    this.#batches = aborted.length === 0 ? whole : withoutAborted(whole, aborted);
  }

  /** @throws StreamError `corrupt-batch` */
  records(): IterableIterator<StreamRecord> {
    return new ChunkRecords(this, this.#batches, this.#fromOffset, (cause) => this.#unreadable(cause));
  }

  #unreadable(cause: unknown): unknown {
    return cause instanceof RecordBatchError ? this.#corrupt(cause.message, cause) : cause;
  }

  #corrupt(what: string, cause?: unknown): StreamError {
    return new StreamError('corrupt-batch', `'${this.topic}' partition ${this.partition}: ${what}`, { cause });
  }
}

/** Walks over the records of batches. A generator would do the same more slowly: the engine cannot take it into the loop. */
class ChunkRecords implements IterableIterator<StreamRecord> {
  readonly #origin: TopicPartition;
  readonly #batches: readonly RecordBatch[];
  readonly #fromOffset: bigint;
  readonly #errorOf: (cause: unknown) => unknown;
  #nextBatch = 0;
  #cursor: RecordCursor | undefined;
  /** Records of the batch at hand before this one are skipped. */
  #firstDelta = 0;

  constructor(
    origin: TopicPartition,
    batches: readonly RecordBatch[],
    fromOffset: bigint,
    errorOf: (cause: unknown) => unknown,
  ) {
    this.#origin = origin;
    this.#batches = batches;
    this.#fromOffset = fromOffset;
    this.#errorOf = errorOf;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<StreamRecord, undefined> {
    try {
      while (this.#cursor !== undefined || this.#openNextBatch()) {
        const cursor = this.#cursor!;
        while (cursor.next()) {
          if (cursor.offsetDelta >= this.#firstDelta)
            return { done: false, value: new StreamRecord(cursor, this.#origin) };
        }
        this.#cursor = undefined;
      }
    } catch (cause) {
      throw this.#errorOf(cause);
    }
    return { done: true, value: undefined };
  }

  /** False after the last. */
  #openNextBatch(): boolean {
    for (;;) {
      const batch = this.#batches[this.#nextBatch++];
      if (batch === undefined) return false;
      if (batch.header.isControl) continue;
      this.#cursor = new RecordCursor(batch);
      // Only the first one may begin before what is wanted.
      this.#firstDelta = this.#nextBatch === 1 ? Number(this.#fromOffset - batch.header.baseOffset) : 0;
      return true;
    }
  }
}

/** From where a producer's aborted transaction begins, up to the mark of its end, its transactional batches do not count. */
function withoutAborted(batches: readonly RecordBatch[], aborted: readonly AbortedTransaction[]): RecordBatch[] {
  const toCome = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  return batches.filter(({ header }) => {
    while (toCome.length > 0 && toCome[0]!.firstOffset <= header.baseOffset) open.add(toCome.shift()!.producerId);
    if (header.isControl) open.delete(header.producerId);
    return !(header.isTransactional && !header.isControl && open.has(header.producerId));
  });
}
