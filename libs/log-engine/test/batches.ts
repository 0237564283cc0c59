import { RecordBatchBuilder } from '@tickfold/kafka-protocol';

export interface PlainRecord {
  timestampMs: number;
  key: string | null;
  value: string;
}

/** One record batch as a producer sends it. */
export function batchOf(records: readonly PlainRecord[]): Buffer {
  const builder = new RecordBatchBuilder();
  for (const { timestampMs, key, value } of records) builder.append(key, value, timestampMs);
  return builder.finish();
}

/** A batch of so many records that tell themselves apart by `label`. */
export function numberedBatch(label: string, recordCount = 1, timestampMs = 1000): Buffer {
  return batchOf(
    Array.from({ length: recordCount }, (_, i) => ({
      timestampMs: timestampMs + i,
      key: label,
      value: `${label}-${i}`,
    })),
  );
}
