import type { RecordChunk, RecordView } from './api.ts';

/** One partition, to be looked at here and there. */
export interface PartitionView {
  logStart: bigint;
  high: bigint;
  /** The batch that holds this offset, from this offset on. */
  batchAt(offset: bigint): Promise<RecordChunk>;
}

/** The last visible record of a partition, or undefined where it is empty. */
export async function lastRecordOf({ logStart, high, batchAt }: PartitionView): Promise<RecordView | undefined> {
  for (let offset = high - 1n; offset >= logStart; offset--) {
    let last: RecordView | undefined;
    for (const record of (await batchAt(offset)).records()) last = record;
    if (last !== undefined) return last;
    // A batch without records for readers, such as the mark that ends a transaction: look before it.
  }
  return undefined;
}
