export { partitionOfKey } from '@tickfold/kafka-protocol';
export * from './api.ts';
export { type AbortedTransaction, BatchChunk } from './chunk.ts';
export { connect } from './client.ts';
export { streamConfigFromEnv } from './config.ts';
export {
  type ErrorActor,
  isRetriable,
  outOfRange,
  partitionMismatch,
  StreamError,
  type StreamErrorCode,
  streamErrors,
} from './errors.ts';
export { firstOffsetWhere } from './first-offset-where.ts';
export { BalancedGroupConsumer } from './group/group-consumer.ts';
export { LoneCoordinator } from './group/lone-coordinator.ts';
export { lastRecordOf, type PartitionView } from './last-record.ts';
export { isWanted, type Position, Positions, type ReadAhead } from './positions.ts';
export { runProcessor } from './processor.ts';
export {
  type BatchEntry,
  BatchingProducer,
  type BatchSink,
  type ProducerIdentity,
  type ProducerLinks,
} from './producer.ts';
export { type ResumableOptions, runResumably } from './resumable.ts';
export { BatchingTransactionalProducer, type TransactionLinks } from './transactional-producer.ts';
