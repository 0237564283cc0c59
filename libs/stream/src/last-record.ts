import type { RecordChunk, RecordView } from './api.ts';

/** One partition, to be looked at here and there. */
export interface PartitionView {
  logStart: bigint;
  high: bigint;
  /** The batch that holds this offset, from this offset on, or the next readable one; undefined where none follows. */
  batchAt(offset: bigint): Promise<RecordChunk | undefined>;
}

/** The last visible record of a partition, or undefined where it is empty. */
export async function lastRecordOf(partition: PartitionView): Promise<RecordView | undefined> {
  const { logStart, high, batchAt } = partition;
  let end = high;
  while (end > logStart) {
    const batch = await batchAt(end - 1n);
    if (batch === undefined) {
      end = await readableEnd(partition, end - 1n);
      continue;
    }
    let last: RecordView | undefined;
    for (const record of batch.records()) last = record;
    if (last !== undefined) return last;
    // A batch without records for readers, such as the mark that ends a transaction: look before it.
    end--;
  }
  return undefined;
}

/**
 * The first offset from which on nothing can be read, found by halving: batches that were damaged may hold many offsets.
 * @param empty nothing can be read from there on
 */
async function readableEnd({ logStart, batchAt }: PartitionView, empty: bigint): Promise<bigint> {
  let low = logStart;
  let end = empty;
  while (low < end) {
    const middle = (low + end) / 2n;
    if ((await batchAt(middle)) === undefined) end = middle;
    else low = middle + 1n;
  }
  return end;
}
