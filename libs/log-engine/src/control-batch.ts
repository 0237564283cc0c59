/**
 * The markers that end a transaction in a partition: batches with the control bit and one record, whose bytes are
 * Kafka's. Key: int16 version (0), int16 type (0 abort, 1 commit). Value: int16 version (0), int32 coordinator epoch.
 */
import { BATCH_HEADER_BYTES, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { TransactionOutcome } from './api.ts';

/** Behind the batch's header: the record's length, attributes, two deltas and the key's length, a byte each; the version. */
const TYPE_AT = BATCH_HEADER_BYTES + 7;
const KEY_VERSION = 0;
const VALUE_VERSION = 0;
const TYPES = { abort: 0, commit: 1 } as const;
/** There is one coordinator, and it is never replaced. */
const COORDINATOR_EPOCH = 0;
const NO_SEQUENCE = -1;

export function encodeMarker(
  producer: { producerId: number; epoch: number },
  outcome: TransactionOutcome,
  timestampMs: number,
): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(KEY_VERSION, 0);
  key.writeInt16BE(TYPES[outcome], 2);
  const value = Buffer.alloc(6);
  value.writeInt16BE(VALUE_VERSION, 0);
  value.writeInt32BE(COORDINATOR_EPOCH, 2);
  const builder = new RecordBatchBuilder(128);
  builder.append(key, value, timestampMs);
  return builder.finish({
    producerId: BigInt(producer.producerId),
    producerEpoch: producer.epoch,
    baseSequence: NO_SEQUENCE,
    isTransactional: true,
    isControl: true,
  });
}

/** How the marker at `at`, which the engine made, ended its transaction. */
export function markerOutcome(bytes: Buffer, at: number): TransactionOutcome {
  return bytes.readInt16BE(at + TYPE_AT) === TYPES.commit ? 'commit' : 'abort';
}
