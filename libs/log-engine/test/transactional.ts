/** Writing in transactions, and reading as a client does that wants committed records only. */
import { iterateBatches } from '@tickfold/kafka-protocol';
import type { AppendResult, LogEngine, PartitionReader, TransactionalProducer } from '../src/api.ts';
import { producedBatch } from './batches.ts';
import { logOf } from './engines.ts';

/** A producer with a transactional id that counts its sequences. */
export class TestProducer {
  readonly #engine: LogEngine;
  identity: TransactionalProducer;
  readonly #sequences = new Map<string, number>();

  private constructor(engine: LogEngine, identity: TransactionalProducer) {
    this.#engine = engine;
    this.identity = identity;
  }

  static async open(engine: LogEngine, transactionalId: string, timeoutMs?: number): Promise<TestProducer> {
    const opened = await engine.openProducer({ transactionalId, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    return new TestProducer(engine, { transactionalId, ...opened });
  }

  /** Appends one record in its transaction, which begins with the first one. */
  async send(topic: string, label: string, partition = 0): Promise<AppendResult> {
    await this.#engine.beginTransaction(this.identity);
    const place = `${topic}/${partition}`;
    const sequence = this.#sequences.get(place) ?? 0;
    const batch = producedBatch(label, this.identity, sequence, { isTransactional: true });
    const result = await logOf(this.#engine, topic, partition).append(batch, 'synced');
    this.#sequences.set(place, sequence + 1);
    return result;
  }

  async commitOffset(group: string, topic: string, offset: bigint): Promise<void> {
    await this.#engine.beginTransaction(this.identity);
    const row = { topic, partition: 0, offset, leaderEpoch: -1, metadata: '' };
    await this.#engine.commitOffsetsInTransaction(this.identity, group, [row]);
  }

  async end(outcome: 'commit' | 'abort', options?: { bumpEpoch?: boolean }): Promise<void> {
    const next = await this.#engine.endTransaction(this.identity, outcome, options);
    if (next.epoch !== this.identity.epoch) this.#sequences.clear();
    this.identity = { ...this.identity, ...next };
  }
}

/** What a client shows that reads committed records only, told by Kafka's rules. */
export async function committedValues(log: PartitionReader, maxBytes = 200): Promise<string[]> {
  const values: string[] = [];
  let next = log.logStartOffset;
  for (;;) {
    const { batches, abortedTransactions } = await log.read(next, maxBytes, 'committed');
    if (batches.length === 0) return values;
    const waiting = [...abortedTransactions];
    const aborted = new Set<bigint>();
    for (const bytes of batches) {
      for (const batch of iterateBatches(bytes)) {
        const { header } = batch;
        while (waiting.length > 0 && waiting[0]!.firstOffset <= header.lastOffset)
          aborted.add(waiting.shift()!.producerId);
        const records = [...batch.records()];
        if (header.isControl) {
          if (records[0]!.key!.readInt16BE(2) === 0) aborted.delete(header.producerId);
        } else if (!header.isTransactional || !aborted.has(header.producerId)) {
          for (const record of records) if (record.offset >= next) values.push(record.value!.toString());
        }
        next = header.lastOffset + 1n;
      }
    }
  }
}
