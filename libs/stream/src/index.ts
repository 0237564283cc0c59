export { partitionOfKey } from '@tickfold/kafka-protocol';
export * from './api.ts';
export { connect } from './client.ts';
export { streamConfigFromEnv } from './config.ts';
export { type ErrorActor, isRetriable, StreamError, type StreamErrorCode, streamErrors } from './errors.ts';
export { firstOffsetWhere } from './first-offset-where.ts';
export { runProcessor } from './processor.ts';
export { type ResumableOptions, runResumably } from './resumable.ts';
export { untilSettled } from './settled.ts';
