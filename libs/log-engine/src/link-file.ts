import { type Disk, hasCode } from './disk.ts';

/** Links a file, or copies it where that file system has no links, or no more of them, or not to there. */
export async function linkOrCopy(disk: Disk, from: string, to: string): Promise<void> {
  try {
    await disk.link(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS')) throw error;
    await disk.copy(from, to);
  }
}
