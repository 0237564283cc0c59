import { EngineError, type EngineErrorCode } from '@tickfold/log-engine';

export function isRefusal(error: unknown, ...codes: EngineErrorCode[]): boolean {
  return error instanceof EngineError && codes.includes(error.code);
}
