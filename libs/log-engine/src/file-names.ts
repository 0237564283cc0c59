import { EngineError } from './errors.ts';

/** Folders of a volume, beside its journal, that hold files; a snapshot takes them along. */
export const FILE_FOLDERS: readonly string[] = ['tables', 'files'];

const LONGEST_PATH = 1024;
/** What every system takes in a name, and what needs no escaping in a list of checksums. */
const NAME = /^[A-Za-z0-9_=,+@%()-][A-Za-z0-9_=,+@%(). -]*$/;

/** What is being written has a name that says so: ours, and that of `publishFile` in libs/history. */
export function isPublishedName(name: string): boolean {
  return !name.startsWith('.') && !name.endsWith('.tmp') && !/\.\d+\.partial(\.|$)/.test(name);
}

/**
 * True for a path below `tables/` or `files/` of a volume, which leads nowhere else.
 * @param path relative to the volume, with `/`
 */
export function isFilePath(path: string): boolean {
  const [folder, ...names] = path.split('/');
  return (
    path.length <= LONGEST_PATH &&
    FILE_FOLDERS.includes(folder ?? '') &&
    names.length > 0 &&
    names.every((name) => NAME.test(name) && isPublishedName(name))
  );
}

/** True for a path that leads to a file below `tables/` or `files/`, whatever its publisher called it. */
export function leadsToFile(path: string): boolean {
  const [folder, ...names] = path.split('/');
  const isName = (name: string): boolean => name !== '' && name !== '.' && name !== '..' && !name.includes('\0');
  return FILE_FOLDERS.includes(folder ?? '') && names.length > 0 && names.every(isName);
}

/** @throws EngineError `illegal-name` */
export function checkFilePath(path: string): void {
  if (isFilePath(path)) return;
  throw new EngineError('illegal-name', `"${path}" is no path of a volume's file`, {
    mend:
      'Begin it with tables/ or files/; name folders and files with A-Z a-z 0-9 _ = , + @ % ( ) - and dots and spaces ' +
      'inside, and not as something that is being written (.tmp, .PID.partial).',
  });
}
