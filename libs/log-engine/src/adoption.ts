import { dirname, join } from 'node:path';
import { type Disk, hasCode } from './disk.ts';
import { EngineError } from './errors.ts';
import type { FolderLock } from './folder-lock.ts';
import type { EngineContext } from './journal-context.ts';
import { recoverJournal } from './recovery.ts';
import { SEGMENTS_PER_QUOTA } from './segment-set.ts';
import { type FinishedVolume, stagingPath, unknownStaging } from './staging-folder.ts';

interface StagedForAdoption extends FinishedVolume {
  dataDir: string;
  id: string;
  journalFolder: string;
}

/**
 * Moves a finished staged volume to its place among the volumes, whole or not at all. That its journal can be opened is
 * seen before, for one that cannot would keep the whole data folder from being opened again.
 * @throws EngineError `volume-exists`, `unknown-staging`, `volume-full`, and those of opening a journal
 */
export async function moveStagedIn(context: EngineContext, staged: StagedForAdoption): Promise<void> {
  const { dataDir, id, volume } = staged;
  const [from, to] = [join(stagingPath(dataDir, id), volume), join(dataDir, volume)];
  const lock = await lockStaged(context.disk, dataDir, id);
  try {
    if ((await context.disk.look(to)) !== undefined) throw volumeExists(volume);
    // Without a quota: it would take away the oldest records of what nobody has seen yet.
    const trial = { ...context, onEvent: () => undefined, volumeQuotaBytes: Number.POSITIVE_INFINITY };
    const journal = await recoverJournal(trial, volume, join(from, staged.journalFolder));
    await journal?.close();
    mustFit(staged, journal?.sizeBytes ?? 0, context.volumeQuotaBytes);
    await moveFolder(context.disk, from, to);
  } catch (error) {
    throw hasCode(error, 'ENOENT') ? unknownStaging(id, error) : error;
  } finally {
    await lock.release();
  }
}

export function volumeExists(volume: string): EngineError {
  return new EngineError('volume-exists', `there is a volume ${volume} already`);
}

/** @throws EngineError `volume-full` */
function mustFit({ volume, isRestored = false }: FinishedVolume, sizeBytes: number, quotaBytes: number): void {
  // A volume that was at its quota when it was frozen must come back, though the quota takes its oldest segment then.
  const tolerance = isRestored ? Math.floor(quotaBytes / SEGMENTS_PER_QUOTA) : 0;
  if (sizeBytes <= quotaBytes + tolerance) return;
  throw new EngineError(
    'volume-full',
    `the staged volume ${volume} has ${sizeBytes} bytes; the quota of a volume is ${quotaBytes} bytes`,
    { mend: 'Raise VOLUME_QUOTA_BYTES, or stage less.' },
  );
}

/** A folder that an engine still writes to is not taken. */
async function lockStaged(disk: Disk, dataDir: string, id: string): Promise<FolderLock> {
  try {
    return await disk.locks.lockFolder(stagingPath(dataDir, id));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw unknownStaging(id, error);
    if (!(error instanceof EngineError) || error.code !== 'folder-in-use') throw error;
    const message = `the volume staged as ${id} is being written or adopted`;
    throw new EngineError('unknown-staging', message, { cause: error, mend: 'Finish it first, then adopt it once.' });
  }
}

async function moveFolder(disk: Disk, from: string, to: string): Promise<void> {
  // Its own name in the staging folder may not be durable yet, nor those in it.
  await disk.syncFolder(from);
  await disk.rename(from, to);
  await disk.syncFolder(dirname(to));
  await disk.syncFolder(dirname(from));
}
