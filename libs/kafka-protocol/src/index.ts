/**
 * The Kafka protocol: messages, frames, record batches. One codec serves broker and client.
 *
 * ```ts
 * // Client: frame = encodeRequest(api, version, header, request); chunks go to the socket one after another.
 * for (const chunk of encodeRequest(apis.fetch, 11, { correlationId, clientId: 'me' }, request)) socket.write(chunk);
 * // The answer: cut the stream into frames, match them by correlation id, decode with the version that was sent.
 * const splitter = new FrameSplitter(64 * 1024 * 1024);
 * socket.on('data', (chunk) => {
 *   for (const frame of splitter.push(chunk)) {
 *     const id = readCorrelationId(frame);
 *     const response = decodeResponse(apis.fetch, 11, frame);   // typed: ResponseOf<typeof apis.fetch>
 *   }
 * });
 * // Broker: const { header, rest } = decodeRequestHeader(frame); decodeRequestBody(api, header.apiVersion, rest);
 * //         encodeResponse(api, header.apiVersion, header.correlationId, response)
 * ```
 *
 * A message is a plain object with every field of every version; fields that a version lacks are ignored on encoding and
 * get their default on decoding. `RequestOf<typeof apis.produce>` is its type. int64 is a bigint. `records` is a list of
 * chunks that follow on one another (`[batch]`, or `[]` for none). Decoded bytes are views of the frame.
 */
export { type Api, defineApi, type MessageCodec, type RequestOf, type ResponseOf } from './api.ts';
export { apis } from './apis.ts';
export { type Codec, decompress } from './decompression.ts';
export { type ErrorName, errorCodes, errorName } from './error-codes.ts';
export {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  FrameSplitter,
  type RequestHeader,
  readCorrelationId,
} from './frames.ts';
export { configOperations } from './messages/alter-configs.ts';
export { NO_FEATURES } from './messages/api-versions.ts';
export { HIGH_WATERMARK_OFFSET } from './messages/delete-records.ts';
export { endpointTypes } from './messages/describe-cluster.ts';
export { configSources, configTypes, resourceTypes } from './messages/describe-configs.ts';
export { coordinatorTypes } from './messages/find-coordinator.ts';
export { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP } from './messages/list-offsets.ts';
export { OPERATIONS_NOT_ASKED } from './messages/metadata.ts';
export { murmur2, partitionOfKey } from './murmur2.ts';
export { ProtocolError, type ProtocolErrorCode } from './protocol-error.ts';
export { Reader } from './reader.ts';
export {
  areOrdinary,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  type BatchHeader,
  BatchRecord,
  batchCrcIsValid,
  type Compression,
  iterateBatches,
  MAX_DECOMPRESSED_BYTES,
  RecordBatch,
  RecordBatchError,
  type RecordBatchErrorCode,
  RecordCursor,
  readBatchHeader,
  setAppendTime,
} from './record-batch.ts';
export { type BatchMemory, type FinishOptions, type HeaderFields, RecordBatchBuilder } from './record-batch-builder.ts';
export { NO_UUID } from './schema.ts';
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
export { Writer } from './writer.ts';
