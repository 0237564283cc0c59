import type { LogEngine, PartitionLog } from '@tickfold/log-engine';
import {
  BatchingTransactionalProducer,
  type BatchSink,
  type ProducerIdentity,
  type TransactionalProducer,
  type TransactionalProducerOptions,
} from '@tickfold/stream';
import { streamErrorOf } from './engine-errors.ts';
import { offsetRows } from './in-process-admin.ts';

/** What a transactional producer writes to. */
export interface TransactionTarget {
  engine: LogEngine;
  /** @throws StreamError `unknown-topic`, `read-only` */
  writablePartition(topic: string, partition: number): PartitionLog;
  partitionCount(topic: string): Promise<number>;
  /** @throws StreamError once the client was closed */
  checkOpen(): void;
}

/** Opens a transactional producer over an engine of this process. @throws StreamError */
export async function inProcessTransactions(
  target: TransactionTarget,
  options: TransactionalProducerOptions,
): Promise<TransactionalProducer> {
  const { engine, partitionCount } = target;
  const { transactionalId, transactionTimeoutMs } = options;
  const timeout = transactionTimeoutMs === undefined ? {} : { transactionTimeoutMs };
  let identity = await inStreamErrors(() => engine.openProducer({ transactionalId, ...timeout }));
  const sink: BatchSink = {
    append: (entries) =>
      inStreamErrors(async () => {
        target.checkOpen();
        await engine.beginTransaction({ transactionalId, ...identity });
        const appends = entries.flatMap(({ topic, partition, batches }) => {
          const log = target.writablePartition(topic, partition);
          return batches.map((batch) => log.append(batch, 'synced'));
        });
        await Promise.all(appends);
        return [];
      }),
    close: () => {},
  };
  const links = {
    identity,
    sink: Promise.resolve(sink),
    partitionCount,
    addOffsets: (producer: ProducerIdentity, offsets: Parameters<TransactionalProducer['commit']>[0] = []) =>
      inStreamErrors(async () => {
        await engine.beginTransaction({ transactionalId, ...producer });
        for (const { group, topic, offsets: rows } of offsets) {
          await engine.commitOffsetsInTransaction({ transactionalId, ...producer }, group, offsetRows(topic, rows));
        }
      }),
    end: (producer: ProducerIdentity, outcome: 'commit' | 'abort') =>
      inStreamErrors(async () => {
        identity = await engine.endTransaction({ transactionalId, ...producer }, outcome, { bumpEpoch: true });
        return identity;
      }),
  };
  return new BatchingTransactionalProducer(links, options);
}

async function inStreamErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw streamErrorOf(error);
  }
}
