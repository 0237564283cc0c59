import { EngineError, type EngineErrorCode } from '@tickfold/log-engine';
import { ModelError } from '@tickfold/models';
import { PromotionError } from '@tickfold/promotion';
import { StreamError, type StreamErrorCode } from '@tickfold/stream';
import { asSentence } from './as-sentence.ts';
import { ProblemError } from './problem.ts';

/** What the owner of the data folder refuses. */
const STATUS_OF_REFUSAL: Partial<Record<EngineErrorCode, number>> = {
  'illegal-name': 400,
  'unknown-volume': 404,
  'unknown-snapshot': 404,
  'volume-exists': 409,
  'snapshot-exists': 409,
  'disk-full': 503,
  'volume-stopped': 503,
};

/** What passes, or is mended, without another request. */
const NOT_NOW: ReadonlySet<StreamErrorCode> = new Set([
  'unreachable',
  'disconnected',
  'unavailable',
  'closed',
  'no-volumes',
]);

/** An error of a library as the problem that it is for who asked over HTTP; a fault of ours as it came. */
export function libraryProblem(error: unknown): unknown {
  const status = statusOf(error);
  if (status === undefined) return error;
  const { message, mend } = error as Error & { mend: string };
  return new ProblemError(status, `${asSentence(message)} ${mend}`);
}

/** Lets the work's errors reach the page as problems. */
export async function asProblems<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw libraryProblem(error);
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof PromotionError) return 503;
  if (error instanceof ModelError) return 400;
  if (error instanceof EngineError) return STATUS_OF_REFUSAL[error.code];
  if (!(error instanceof StreamError)) return undefined;
  if (NOT_NOW.has(error.code)) return 503;
  return error.code === 'volume-refused' ? STATUS_OF_REFUSAL[error.reason as EngineErrorCode] : undefined;
}
