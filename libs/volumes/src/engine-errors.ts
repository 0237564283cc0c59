import { EngineError, type EngineErrorCode } from '@tickfold/log-engine';
import { StreamError, type StreamErrorCode } from '@tickfold/stream';

const streamCodes: Readonly<Partial<Record<EngineErrorCode, StreamErrorCode>>> = {
  'unknown-topic': 'unknown-topic',
  'snapshot-damaged': 'corrupt-batch',
  'producer-fenced': 'fenced',
};

/** The engine's refusal as users of streams know it. What is none of the engine's errors is a bug: it stays as it is. */
export function streamErrorOf(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return refusedAs(streamCodes[error.code] ?? 'rejected', error);
}

/** As `streamErrorOf`, for what was asked of whole volumes. */
export function volumeErrorOf(error: unknown): unknown {
  return error instanceof EngineError ? refusedAs('volume-refused', error) : error;
}

function refusedAs(code: StreamErrorCode, error: EngineError): StreamError {
  return new StreamError(code, error.message, { reason: error.code, mend: error.mend, cause: error });
}
