import { type FinishOptions, RecordBatchBuilder } from '@tickfold/kafka-protocol';

export interface PlainRecord {
  timestampMs: number;
  key: string | null;
  value: string;
}

/** One record batch as a producer sends it. */
export function batchOf(records: readonly PlainRecord[], options: FinishOptions = {}): Buffer {
  const builder = new RecordBatchBuilder();
  for (const { timestampMs, key, value } of records) builder.append(key, value, timestampMs);
  return builder.finish(options);
}

/** A batch of so many records that tell themselves apart by `label`. */
export function numberedBatch(label: string, recordCount = 1, timestampMs = 1000): Buffer {
  return batchOf(numberedRecords(label, recordCount, timestampMs));
}

/** As `numberedBatch`, from a producer with an id. */
export function producedBatch(
  label: string,
  { producerId, epoch }: { producerId: bigint; epoch: number },
  baseSequence: number,
  options: { recordCount?: number; isTransactional?: boolean } = {},
): Buffer {
  const { recordCount = 1, isTransactional = false } = options;
  const producer = { producerId, producerEpoch: epoch, baseSequence, isTransactional };
  return batchOf(numberedRecords(label, recordCount, 1000), producer);
}

function numberedRecords(label: string, recordCount: number, timestampMs: number): PlainRecord[] {
  return Array.from({ length: recordCount }, (_, i) => ({
    timestampMs: timestampMs + i,
    key: label,
    value: `${label}-${i}`,
  }));
}
