import { EngineError } from './errors.ts';
import { hasCode, isDiskFull } from './system-errors.ts';

/** What the system says about a folder that cannot be used, as an error of ours. */
export function unusable(dataDir: string, error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    return new EngineError('disk-full', `the disk of ${dataDir} is full: ${reason}`, { cause: error });
  }
  if (hasCode(error, 'EMFILE', 'ENFILE')) {
    const mend = 'Let the process have more open files (ulimit -n), then start again.';
    return new EngineError('folder-unusable', `${dataDir} cannot be opened: ${reason}`, { cause: error, mend });
  }
  if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'EISDIR')) return error;
  return new EngineError('folder-unusable', `${dataDir} cannot be used as data folder: ${reason}`, { cause: error });
}
