import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { Durability, PartitionLog } from './api.ts';
import { EngineError } from './errors.ts';

/** A record of another log, with its place there. */
export interface CopiedRecord {
  offset: bigint;
  timestampMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers(): Iterable<{ key: string; value: Uint8Array }>;
}

const BATCH_BYTES = 256 * 1024;
const MAX_OFFSETS_OF_BATCH = 2n ** 31n - 1n;

/**
 * Fills a new partition with the records of another log, each at the offset that it has there. Offsets without a record
 * (ends of transactions, what was taken back, what compaction removed) stay without one. The engine has to be opened with
 * `mayHaveGaps`.
 */
export class PartitionCopy {
  readonly #log: PartitionLog;
  readonly #builder = new RecordBatchBuilder(BATCH_BYTES);
  /** Where the open batch begins: behind all that was appended. */
  #base = 0n;

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  /** @param start where the log begins */
  async beginAt(start: bigint): Promise<void> {
    await this.#passOver(start);
  }

  /**
   * In order of the offsets. Returns a promise to be awaited before the next call, now and then.
   * @throws EngineError `batch-corrupt` where more offsets than a batch can span have no record
   */
  add(record: CopiedRecord): Promise<void> | undefined {
    // Only now is it known that more records follow: the last batch has to reach to the end of the log.
    if (this.#builder.sizeBytes < BATCH_BYTES) {
      this.#append(record);
      return undefined;
    }
    return this.#closeBatch(record.offset).then(() => this.#append(record));
  }

  /** @param end after the last offset, which need not have a record */
  async endAt(end: bigint): Promise<void> {
    if (this.#builder.recordCount > 0) await this.#closeBatch(end);
    // Without a single record there is nothing to hold the offsets: the log begins where it ends.
    else await this.#passOver(end);
  }

  #append(record: CopiedRecord): void {
    const { offset, timestampMs, key, value } = record;
    const delta = this.#within(offset - this.#base);
    this.#builder.append(key, value, timestampMs, fieldsOf(record.headers()), delta);
  }

  async #closeBatch(nextOffset: bigint, durability: Durability = 'written'): Promise<void> {
    const lastOffsetDelta = this.#within(nextOffset - this.#base - 1n);
    await this.#log.append(this.#builder.finish({ lastOffsetDelta }), durability);
    this.#base = nextOffset;
  }

  /** Uses the offsets up to there up, and has the log begin behind them. */
  async #passOver(offset: bigint): Promise<void> {
    if (this.#base >= offset) return;
    while (this.#base < offset) {
      const left = offset - this.#base;
      this.#builder.append(null, null, 0);
      // What is not synced is not visible, and what is not visible cannot be deleted.
      await this.#closeBatch(this.#base + (left < MAX_OFFSETS_OF_BATCH ? left : MAX_OFFSETS_OF_BATCH), 'synced');
    }
    await this.#log.deleteRecordsBefore(offset);
  }

  #within(delta: bigint): number {
    if (delta < MAX_OFFSETS_OF_BATCH) return Number(delta);
    const { topic, partition } = this.#log;
    throw new EngineError('batch-corrupt', `${topic}/${partition} has no record for ${delta} offsets on end`);
  }
}

function fieldsOf(headers: Iterable<{ key: string; value: Uint8Array }>): Record<string, Uint8Array> {
  return Object.fromEntries(Array.from(headers, ({ key, value }) => [key, value]));
}
