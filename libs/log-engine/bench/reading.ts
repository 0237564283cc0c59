import { iterateBatches, RecordCursor, readBatchHeader } from '@tickfold/kafka-protocol';
import type { PartitionReader } from '@tickfold/log-engine';
import { perSecond } from '@tickfold/testkit/figures';

/** What a poll asks for. */
const POLL_BYTES = 1024 * 1024;
/** A poll's bytes with those of other topics that are read along with them. */
const LENT_BYTES = 2 * POLL_BYTES;

export interface Reading {
  records: number;
  recordsPerSecond: number;
  keyAndValueBytes: number;
}

/**
 * Reads a whole log as a consumer does, the next answer under way while one is worked on, and walks over its records.
 * The CRCs are the engine's to check, which it does with all that comes from a file.
 */
export async function readThrough(log: PartitionReader): Promise<Reading> {
  const begin = performance.now();
  let records = 0;
  let keyAndValueBytes = 0;
  const end = log.highWatermark;
  let [lent, other] = [Buffer.allocUnsafeSlow(LENT_BYTES), Buffer.allocUnsafeSlow(LENT_BYTES)];
  const poll = (offset: bigint): ReturnType<PartitionReader['read']> => {
    [lent, other] = [other, lent];
    return log.read(offset, POLL_BYTES, 'uncommitted', lent);
  };
  let answer = poll(log.logStartOffset);
  for (;;) {
    const { batches } = await answer;
    const last = batches.at(-1);
    const next = last === undefined ? end : readBatchHeader(last).lastOffset + 1n;
    if (next < end) answer = poll(next);
    for (const bytes of batches) {
      for (const batch of iterateBatches(bytes)) {
        const cursor = new RecordCursor(batch);
        while (cursor.next()) {
          records++;
          keyAndValueBytes += cursor.keyEnd - cursor.keyStart + cursor.valueEnd - cursor.valueStart;
        }
      }
    }
    if (next >= end) break;
  }
  return { records, keyAndValueBytes, recordsPerSecond: perSecond(records, performance.now() - begin) };
}
