/** A snapshot of volumes that no engine of ours holds: filled by hand, then frozen like any other. */
import { join, resolve } from 'node:path';
import type { LogEngine, Pins, SnapshotManifest } from './api.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { openEngineOn } from './engine.ts';
import { FILE_FOLDERS, isPublishedName } from './file-names.ts';
import type { FolderLock } from './folder-lock.ts';
import { linkOrCopy } from './link-file.ts';
import { checkVolumeName, volumeOfSnapshot } from './names.ts';
import { snapshotPath, snapshotsFolder } from './snapshot-folder.ts';
import { moveIn, snapshotExists } from './snapshot-writer.ts';
import { letGo, makeStagingFolder, newStagingId, stagingPath, sweepStaging } from './staging-folder.ts';
import { writeFailure } from './write-failure.ts';

export interface SnapshotCopy {
  /** `market@open` */
  name: string;
  /** Frozen beside the one that the name begins with. */
  others: readonly string[];
  pins: Pins;
  /** Makes the volumes' topics in an engine of the snapshot's own, and fills them; batches may have gaps. */
  fill(engine: LogEngine): Promise<void>;
}

/**
 * Takes a snapshot of streams that are kept elsewhere, and of the files that the data folder has of their volumes. Needs
 * no ownership of the data folder. A failure, or a crash, leaves nothing that counts.
 * @throws EngineError `snapshot-exists`, `illegal-name`, `unknown-volume`, `disk-full`, `folder-unusable`
 */
export async function copySnapshot(
  dataDir: string,
  copy: SnapshotCopy,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<SnapshotManifest> {
  const folder = resolve(dataDir);
  const volumes = [...new Set([volumeOfSnapshot(copy.name), ...copy.others])];
  for (const volume of volumes) checkVolumeName(volume);
  const path = snapshotPath(folder, copy.name);
  if ((await disk.look(path)) !== undefined) throw snapshotExists(copy.name);
  const id = newStagingId();
  let held: FolderLock | undefined;
  try {
    await sweepStaging(disk, folder, () => undefined);
    held = await makeStagingFolder(disk, folder, id);
    const manifest = await freeze(disk, { from: folder, to: stagingPath(folder, id) }, volumes, copy);
    await disk.makeFolder(snapshotsFolder(folder));
    await moveIn(disk, snapshotPath(stagingPath(folder, id), copy.name), path, copy.name);
    await disk.syncFolder(snapshotsFolder(folder));
    return manifest;
  } catch (error) {
    throw writeFailure(`snapshot ${copy.name}`, error, 'take the snapshot again; nothing of it was kept');
  } finally {
    await letGo(disk, folder, id, held);
  }
}

async function freeze(
  disk: Disk,
  { from, to }: { from: string; to: string },
  volumes: readonly string[],
  { name, others, pins, fill }: SnapshotCopy,
): Promise<SnapshotManifest> {
  const engine = await openEngineOn({
    disk,
    dataDir: to,
    // It is gone in a moment: there is nothing to look after.
    maintenanceIntervalMs: 0,
    volumeQuotaBytes: Number.MAX_SAFE_INTEGER,
    mayHaveGaps: true,
  });
  try {
    await fill(engine);
    for (const volume of volumes) {
      for (const path of await filesOf(disk, join(from, volume), FILE_FOLDERS)) {
        const linked = join(to, 'file-to-publish');
        await linkOrCopy(disk, join(from, volume, path), linked);
        await engine.publishFile(volume, path, linked);
      }
    }
    return await engine.createSnapshot(name, pins, { volumes: others });
  } finally {
    await engine.close();
  }
}

/** Paths of published files, relative to the volume. */
async function filesOf(disk: Disk, volume: string, paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const entry = await disk.look(join(volume, path));
    if (entry?.kind === 'file') files.push(path);
    if (entry?.kind !== 'folder') continue;
    const names = ((await disk.list(join(volume, path))) ?? []).filter(isPublishedName).sort();
    files.push(
      ...(await filesOf(
        disk,
        volume,
        names.map((name) => `${path}/${name}`),
      )),
    );
  }
  return files;
}
