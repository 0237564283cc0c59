import { errorCodes } from '@tickfold/kafka-protocol';
import { EngineError, type EngineErrorCode, type LogEngine, type PartitionLog } from '@tickfold/log-engine';

const kafkaErrors: Readonly<Partial<Record<EngineErrorCode, number>>> = {
  'offset-out-of-range': errorCodes.OFFSET_OUT_OF_RANGE,
  'batch-corrupt': errorCodes.CORRUPT_MESSAGE,
  'batch-too-large': errorCodes.MESSAGE_TOO_LARGE,
  'out-of-order-sequence': errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
  'producer-fenced': errorCodes.INVALID_PRODUCER_EPOCH,
  'unknown-producer': errorCodes.INVALID_PRODUCER_ID_MAPPING,
  'invalid-transaction-state': errorCodes.INVALID_TXN_STATE,
  'concurrent-transactions': errorCodes.CONCURRENT_TRANSACTIONS,
  'illegal-transaction-timeout': errorCodes.INVALID_TRANSACTION_TIMEOUT,
  'volume-full': errorCodes.KAFKA_STORAGE_ERROR,
  'volume-stopped': errorCodes.KAFKA_STORAGE_ERROR,
  'read-failed': errorCodes.KAFKA_STORAGE_ERROR,
  'disk-full': errorCodes.KAFKA_STORAGE_ERROR,
  'folder-unusable': errorCodes.KAFKA_STORAGE_ERROR,
  'unknown-topic': errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  'topic-exists': errorCodes.TOPIC_ALREADY_EXISTS,
  'illegal-name': errorCodes.INVALID_TOPIC_EXCEPTION,
  'illegal-setting': errorCodes.INVALID_CONFIG,
};

/** The engine's error as a client understands it. Anything that is no error of the engine is a bug: it goes up. */
export function kafkaErrorOf(error: unknown): { errorCode: number; message: string } {
  if (error instanceof EngineError) {
    const errorCode = kafkaErrors[error.code];
    if (errorCode !== undefined) return { errorCode, message: error.message };
  }
  throw error;
}

/** A partition; or, with the error code of an answer, that it is unknown or its volume could not be opened. */
export function findPartition(
  engine: LogEngine,
  topic: string,
  index: number,
): { log: PartitionLog; errorCode: 0 } | { log: undefined; errorCode: number } {
  try {
    const log = engine.partition(topic, index);
    return log === undefined
      ? { log, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }
      : { log, errorCode: errorCodes.NONE };
  } catch (error) {
    return { log: undefined, errorCode: kafkaErrorOf(error).errorCode };
  }
}
