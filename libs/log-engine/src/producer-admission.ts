import type { AppendResult } from './api.ts';
import { batchHasProducer, batchSizeBytes } from './batch-header.ts';
import { EngineError } from './errors.ts';
import type { TransactionGate } from './journal-context.ts';
import type { Partition } from './partition.ts';
import { type ProducerBatch, producerBatchAt } from './producer-batches.ts';

/**
 * Judges batches, some of which name their producer, in the turn in which they would be appended: all or none.
 * @returns where they lie already, if they came before; undefined where they are to be appended
 * @throws EngineError `batch-corrupt`, `producer-fenced`, `out-of-order-sequence`, `invalid-transaction-state`
 */
export function admitProducers(
  partition: Partition,
  bytes: Buffer,
  transactions: TransactionGate,
): AppendResult | undefined {
  const batches: ProducerBatch[] = [];
  let batchCount = 0;
  for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
    batchCount++;
    if (batchHasProducer(bytes, at)) batches.push(producerBatchAt(bytes, at));
  }
  const stored = partition.producers?.table.check(batches);
  if (stored === undefined) {
    for (const batch of batches) mustFitTransaction(partition, batch, transactions);
    return undefined;
  }
  if (stored.length < batchCount) {
    throw new EngineError('out-of-order-sequence', 'batches that were appended before came together with others');
  }
  const [first, last] = [stored[0]!, stored.at(-1)!];
  return {
    baseOffset: BigInt(first.baseOffset),
    lastOffset: BigInt(last.lastOffset),
    appendTimeMs: first.appendTimeMs,
    logStartOffset: partition.logStartOffset,
    isDuplicate: true,
  };
}

/** A batch that came before is answered even when its transaction has ended meanwhile: it is in it. */
function mustFitTransaction(partition: Partition, batch: ProducerBatch, transactions: TransactionGate): void {
  const { producerId, epoch, isTransactional } = batch;
  if (isTransactional) {
    transactions.admit(producerId, epoch);
  } else if (partition.producers?.transactions.openFrom(producerId) !== undefined) {
    throw new EngineError(
      'invalid-transaction-state',
      `producer ${producerId} has a transaction open in ${partition.topic}/${partition.partition}, but this batch is in none`,
    );
  }
}
