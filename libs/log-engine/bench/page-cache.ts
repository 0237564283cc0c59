import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Asks the system to forget what it keeps of these files in memory, so that the next read comes from the disk: GNU dd
 * can say so, Node.js cannot. False where there is no such dd.
 */
export async function dropFromPageCache(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  try {
    await run('sync', ['-f', folder]);
    for (const entry of entries.filter((each) => each.isFile())) {
      await run('dd', [`if=${join(entry.parentPath, entry.name)}`, 'iflag=nocache', 'count=0', 'status=none']);
    }
    return true;
  } catch {
    return false;
  }
}
