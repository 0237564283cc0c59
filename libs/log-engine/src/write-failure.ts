import { isDiskFull } from './disk.ts';
import { EngineError } from './errors.ts';

/**
 * What the system says where something could not be written, as an error of ours; other errors stay as they are.
 * @param what `snapshot market@open`
 * @param mend what to do once the disk is in order, and what became of what was written
 */
export function writeFailure(what: string, error: unknown, mend: string): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return isDiskFull(error)
    ? new EngineError('disk-full', `no room for ${what}: ${error.message}`, {
        cause: error,
        mend: `Make room on that disk and ${mend}.`,
      })
    : new EngineError('folder-unusable', `${what} cannot be written: ${error.message}`, {
        cause: error,
        mend: `Look after the disk and ${mend}.`,
      });
}
