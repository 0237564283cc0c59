/** What is written: records of 100 bytes, key and value, each different from the 65,535 before it. */
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';

const KEY_BYTES = 11;
const VALUE_BYTES = 89;
const KEYS = 1_000;
const VALUES = 65_536;
/** Around a record of 100 bytes, with room to spare. */
const OVERHEAD_BYTES = 16;
const TIMESTAMP_MS = 1_700_000_000_000;

const keys = Array.from({ length: KEYS }, (_, i) => `symbol-${String(i).padStart(KEY_BYTES - 7, '0')}`);
const values = Array.from({ length: VALUES }, (_, i) => Buffer.from(`${i}|`.padEnd(VALUE_BYTES, `${i * 7919}.`)));

let serial = 0;

/** A batch of the next records, encoded anew each time. */
export function encodeBatch(recordCount: number): Buffer {
  const builder = new RecordBatchBuilder(recordCount * (KEY_BYTES + VALUE_BYTES + OVERHEAD_BYTES) + 100);
  for (let i = 0; i < recordCount; i++) {
    builder.append(keys[serial % KEYS]!, values[serial % VALUES]!, TIMESTAMP_MS + serial);
    serial++;
  }
  return builder.finish();
}
