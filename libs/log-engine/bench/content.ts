/** What is written: records of 100 bytes, key and value, no two with the same value. */
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';

const KEY_BYTES = 11;
const VALUE_BYTES = 89;
const KEYS = 1_000;
/** The value begins with the record's number, in decimal. */
const NUMBER_BYTES = 12;
/** Around a record of 100 bytes, with room to spare. */
const OVERHEAD_BYTES = 16;
const TIMESTAMP_MS = 1_700_000_000_000;
const [ZERO, NINE] = [0x30, 0x39];

const keys = Array.from({ length: KEYS }, (_, i) => `symbol-${String(i).padStart(KEY_BYTES - 7, '0')}`);
const value = Buffer.from('0'.repeat(NUMBER_BYTES).padEnd(VALUE_BYTES, '|Lorem ipsum dolor sit amet '));

let serial = 0;

/** A batch of the next records, encoded anew each time. */
export function encodeBatch(recordCount: number): Buffer {
  const builder = new RecordBatchBuilder(recordCount * (KEY_BYTES + VALUE_BYTES + OVERHEAD_BYTES) + 100);
  for (let i = 0; i < recordCount; i++) {
    countUp();
    builder.append(keys[serial % KEYS]!, value, TIMESTAMP_MS + serial);
    serial++;
  }
  return builder.finish();
}

/** Adds one to the number in the value, digit by digit: cheaper than text made for each record. */
function countUp(): void {
  let at = NUMBER_BYTES - 1;
  while (value[at] === NINE) value[at--] = ZERO;
  value[at]!++;
}
