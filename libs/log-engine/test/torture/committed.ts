import { iterateBatches } from '@tickfold/kafka-protocol';
import type { PartitionReader } from '@tickfold/log-engine';
import type { CommittedLog } from './transaction-model.ts';

/** Reads as a consumer of committed records does: it leaves out what the engine tells it to, and control batches. */
export async function committedOf(log: PartitionReader): Promise<CommittedLog> {
  const values: string[] = [];
  const isComplete = log.lastStableOffset === log.highWatermark;
  for (let next = log.logStartOffset; ; ) {
    const { batches, abortedTransactions } = await log.read(next, 2000, 'committed');
    if (batches.length === 0) return { values, isComplete };
    const leftOut = new Set<bigint>();
    const aborted = [...abortedTransactions];
    for (const bytes of batches) {
      for (const batch of iterateBatches(bytes)) {
        const { producerId, lastOffset, isControl } = batch.header;
        while (aborted.length > 0 && aborted[0]!.firstOffset <= lastOffset) leftOut.add(aborted.shift()!.producerId);
        if (isControl) leftOut.delete(producerId);
        else if (!leftOut.has(producerId)) values.push(...valuesOf(batch));
        next = lastOffset + 1n;
      }
    }
  }
}

function valuesOf(batch: { records(): Iterable<{ value: Buffer | null }> }): string[] {
  return [...batch.records()].map(({ value }) => value?.toString() ?? '');
}
