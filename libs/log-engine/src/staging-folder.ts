/**
 * Volumes in the making. `.staging/ID/` is a data folder of its own, with one volume. Its maker holds `.staging/ID.sock`
 * from before the folder is there until it discards it, and no ID comes twice. So a folder without a holder was left by
 * a killed process and may go, at any time and by any process: nobody will come back to it.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Disk, discardFolder, hasCode, PARTIAL, readWhole, removeDiscarded, writeWhole } from './disk.ts';
import { EngineError } from './errors.ts';
import type { FolderLock } from './folder-lock.ts';
import { type OnLeftover, tryToRemove } from './leftovers.ts';

const STAGING_FOLDER = '.staging';
const FINISHED_FILE = 'finished.json';
const HOLD_ENDING = '.sock';
/** Random, so that it cannot be guessed and never comes twice; then the process that made it. */
const STAGING_ID = /^[0-9a-f]{24}-(\d{1,10})$/;

/** `finished.json`. */
export interface FinishedVolume {
  volume: string;
  /** Made from a snapshot. */
  isRestored?: boolean;
}

export function newStagingId(): string {
  return `${randomBytes(12).toString('hex')}-${process.pid}`;
}

export function stagingPath(dataDir: string, id: string): string {
  return join(dataDir, STAGING_FOLDER, id);
}

/** Makes a staging folder that counts for as long as this process lives, or until the hold is released. */
export async function makeStagingFolder(disk: Disk, dataDir: string, id: string): Promise<FolderLock> {
  await disk.makeFolder(join(dataDir, STAGING_FOLDER));
  const held = await disk.locks.hold(join(dataDir, STAGING_FOLDER), holdName(id));
  try {
    await disk.makeFolder(stagingPath(dataDir, id));
    return held;
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** Removes what killed processes left. What cannot be looked at counts as held. */
export function sweepStaging(disk: Disk, dataDir: string, onLeftover: OnLeftover): Promise<void> {
  const folder = join(dataDir, STAGING_FOLDER);
  return tryToRemove(folder, onLeftover, () => sweepFolder(disk, dataDir, folder, onLeftover));
}

async function sweepFolder(disk: Disk, dataDir: string, folder: string, onLeftover: OnLeftover): Promise<void> {
  const names = (await disk.list(folder)) ?? [];
  const idOf = (name: string, ending: string): string => name.slice(0, -ending.length);
  for (const name of names.filter((other) => !other.endsWith(HOLD_ENDING))) {
    const id = name.endsWith(PARTIAL) ? idOf(name, PARTIAL) : name;
    if (!STAGING_ID.test(id)) continue;
    await tryToRemove(join(folder, name), onLeftover, async () => {
      if (await disk.locks.isHeld(folder, holdName(id))) return;
      await removeStaging(disk, dataDir, id);
      await disk.locks.forgetHold(folder, holdName(id));
    });
  }
  for (const name of names.filter((other) => other.endsWith(HOLD_ENDING))) {
    const id = idOf(name, HOLD_ENDING);
    // A hold without a folder may be one whose maker is just about to listen, and to make the folder.
    if (!STAGING_ID.test(id) || makerIsAlive(id)) continue;
    await tryToRemove(join(folder, name), onLeftover, async () => {
      if (!(await disk.locks.isHeld(folder, name))) await disk.locks.forgetHold(folder, name);
    });
  }
}

function makerIsAlive(id: string): boolean {
  try {
    process.kill(Number(STAGING_ID.exec(id)![1]), 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/**
 * Removes a staging folder, or what is left of it. It leaves its name first: an adoption that comes at the same moment
 * gets the volume whole or not at all.
 */
export async function removeStaging(disk: Disk, dataDir: string, id: string): Promise<void> {
  const path = stagingPath(dataDir, id);
  const trash = path + PARTIAL;
  try {
    await discardFolder(disk, path, trash);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    await removeDiscarded(disk, trash);
  }
}

/** Removes a staging folder as its maker. What cannot be removed is swept later: nobody holds it any more. */
export async function letGo(disk: Disk, dataDir: string, id: string, held: FolderLock | undefined): Promise<void> {
  await removeStaging(disk, dataDir, id).catch(() => undefined);
  await held?.release();
}

/** Says, durably, that nothing will be written to it any more. */
export async function markFinished(disk: Disk, dataDir: string, id: string, finished: FinishedVolume): Promise<void> {
  const folder = stagingPath(dataDir, id);
  await writeWhole(disk, join(folder, FINISHED_FILE), Buffer.from(JSON.stringify(finished)));
  await disk.syncFolder(folder);
}

/**
 * The volume that lies ready in a staging folder.
 * @throws EngineError `unknown-staging`
 */
export async function finishedVolume(disk: Disk, dataDir: string, id: string): Promise<FinishedVolume> {
  if (!STAGING_ID.test(id)) throw unknownStaging(id);
  const marker = await readWhole(disk, join(stagingPath(dataDir, id), FINISHED_FILE));
  if (marker !== undefined) return JSON.parse(marker.toString()) as FinishedVolume;
  if ((await disk.look(stagingPath(dataDir, id))) === undefined) throw unknownStaging(id);
  throw new EngineError('unknown-staging', `the volume staged as ${id} is not finished`, {
    mend: 'Finish it first, then adopt it.',
  });
}

export function unknownStaging(id: string, cause?: unknown): EngineError {
  return new EngineError('unknown-staging', `no volume is staged as "${id}"`, { cause });
}

function holdName(id: string): string {
  return id + HOLD_ENDING;
}
