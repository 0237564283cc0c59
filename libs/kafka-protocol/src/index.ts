export { murmur2, partitionOfKey } from './murmur2.ts';
export {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  type BatchHeader,
  BatchRecord,
  batchCrcIsValid,
  type Compression,
  type FinishOptions,
  type HeaderFields,
  iterateBatches,
  MAX_DECOMPRESSED_BYTES,
  RecordBatch,
  RecordBatchBuilder,
  RecordBatchError,
  type RecordBatchErrorCode,
  RecordCursor,
  readBatchHeader,
} from './record-batch.ts';
export {
  type ByteCursor,
  readVarint,
  readVarlong,
  VarintError,
  varintSize,
  varlongSize,
  writeVarint,
  writeVarlong,
} from './varint.ts';
