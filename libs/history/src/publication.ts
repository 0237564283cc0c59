import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Publishes a file whole or not at all: it is written under a name of this process, flushed, renamed, and its folder
 * flushed. A build that is killed leaves a partial file, which the next one removes; a reader never sees it.
 *
 * @param write writes the file at the path it is given and has closed it when its promise resolves
 */
export async function publishFile(path: string, write: (partialPath: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  removePartialsOfTheDead(path);
  const partialPath = `${path}.${process.pid}.partial`;
  try {
    await write(partialPath);
    flush(partialPath);
    renameSync(partialPath, path);
    flush(folder);
  } catch (error) {
    removePartial(partialPath);
    throw error;
  }
}

/** Another process may be building at this moment: its file, and with it its rename, must not be touched. */
function removePartialsOfTheDead(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const match = /^\.(\d+)\.partial/.exec(name.slice(basename(path).length));
    if (match === null) continue;
    const owner = Number(match[1]);
    if (owner === process.pid || !isAlive(owner)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function removePartial(partialPath: string): void {
  for (const suffix of ['', '.wal', '.tmp']) rmSync(`${partialPath}${suffix}`, { recursive: true, force: true });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
