/** A live volume from a snapshot: its files, linked, and a new segment that opens with the state at the cut. */
import { dirname, join, resolve } from 'node:path';
import { volumeExists } from './adoption.ts';
import type { RestoredVolume, SnapshotManifest } from './api.ts';
import { contentOf } from './archive-content.ts';
import { createDurably, type Disk, nodeDisk } from './disk.ts';
import { EngineError } from './errors.ts';
import type { FolderLock } from './folder-lock.ts';
import { linkOrCopy } from './link-file.ts';
import { volumeOfSnapshot } from './names.ts';
import { ActiveSegment, INDEX_ENDING, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import {
  damagedSnapshot,
  type FrozenVolume,
  readCheckpoint,
  readManifest,
  snapshotPath,
  unknownSnapshot,
} from './snapshot-folder.ts';
import { letGo, makeStagingFolder, markFinished, newStagingId, stagingPath, sweepStaging } from './staging-folder.ts';
import { SegmentTail, TailCache } from './tail-cache.ts';
import { writeFailure } from './write-failure.ts';

/**
 * Makes a volume from a snapshot, ready to be adopted by the owner of the data folder. Needs no ownership. Call `discard` in the
 * end, also after the adoption.
 * @param options.volume which of the snapshot's volumes; default: the one that its name begins with
 * @throws EngineError `unknown-snapshot`, `illegal-name`, `snapshot-damaged`, `format-newer`, `unknown-volume`, `volume-exists`,
 * `disk-full`, `folder-unusable`
 */
export async function stageSnapshot(
  dataDir: string,
  name: string,
  { volume = volumeOfSnapshot(name), disk = nodeDisk }: { volume?: string; disk?: Disk } = {},
): Promise<RestoredVolume> {
  const folder = resolve(dataDir);
  const manifest = await readManifest(disk, folder, name);
  const { volumes } = await readCheckpoint(disk, folder, manifest);
  const frozen = volumes.find((one) => one.name === volume);
  if (frozen === undefined) {
    throw new EngineError(
      'unknown-volume',
      `snapshot ${name} holds no volume ${volume}; it holds: ${manifest.volumes.join(', ')}`,
    );
  }
  if ((await disk.look(join(folder, volume))) !== undefined) throw volumeExists(volume);
  const id = newStagingId();
  let held: FolderLock | undefined;
  try {
    await sweepStaging(disk, folder, () => undefined);
    held = await makeStagingFolder(disk, folder, id);
    await linkVolume(disk, { from: snapshotPath(folder, name), to: stagingPath(folder, id) }, manifest, frozen);
    await markFinished(disk, folder, id, { volume, isRestored: true });
    return new Restored(disk, folder, { id, volume }, held);
  } catch (error) {
    await letGo(disk, folder, id, held);
    const isGone = (await disk.look(snapshotPath(folder, name))) === undefined;
    if (isGone) throw await unknownSnapshot(disk, folder, name);
    throw writeFailure(`volume ${volume}`, error, 'restore it again; nothing of it was kept');
  }
}

async function linkVolume(
  disk: Disk,
  { from, to }: { from: string; to: string },
  manifest: SnapshotManifest,
  frozen: FrozenVolume,
): Promise<void> {
  const journal = join(to, frozen.name, 'journal');
  const folders = new Set([join(to, frozen.name), journal]);
  await disk.makeFolder(journal);
  const files = manifest.files.filter(({ volume }) => volume === frozen.name);
  for (const { path } of contentOf({ ...manifest, files }, { volumes: [frozen] })) {
    const target = join(to, path);
    if (!folders.has(dirname(target))) await disk.makeFolder(dirname(target));
    for (let at = dirname(target); at.length > to.length; at = dirname(at)) folders.add(at);
    await linkFile(disk, join(from, path), target, manifest.name);
  }
  await openNextSegment(disk, journal, manifest, frozen);
  for (const folder of folders) await disk.syncFolder(folder);
}

async function linkFile(disk: Disk, from: string, to: string, name: string): Promise<void> {
  if ((await disk.look(from)) !== undefined) return linkOrCopy(disk, from, to);
  // An index that is missing is made anew when the volume is opened.
  if (!from.endsWith(INDEX_ENDING)) throw damagedSnapshot(name, `${from} is missing`);
}

/** What is appended from now on goes there: linked files are never written again. */
async function openNextSegment(
  disk: Disk,
  journal: string,
  { createdAtMs }: SnapshotManifest,
  { volumeId, segments, checkpoint }: FrozenVolume,
): Promise<void> {
  const segmentNumber = (segments.at(-1)?.[0] ?? 0) + 1;
  const identity = { volumeId: Buffer.from(volumeId, 'hex'), segmentNumber, createdAtMs };
  const { tail } = ActiveSegment.begin(identity, JSON.stringify(checkpoint), new SegmentTail(new TailCache(0), 0));
  const name = segmentBaseName({ number: segmentNumber, generation: 0 }) + SEGMENT_ENDING;
  await (await createDurably(disk, journal, name, tail.takeUnwritten().buffers)).close();
}

class Restored implements RestoredVolume {
  readonly id: string;
  readonly volume: string;
  readonly #disk: Disk;
  readonly #dataDir: string;
  readonly #held: FolderLock;
  #discarding: Promise<void> | undefined;

  constructor(disk: Disk, dataDir: string, { id, volume }: { id: string; volume: string }, held: FolderLock) {
    this.id = id;
    this.volume = volume;
    this.#disk = disk;
    this.#dataDir = dataDir;
    this.#held = held;
  }

  discard(): Promise<void> {
    this.#discarding ??= letGo(this.#disk, this.#dataDir, this.id, this.#held);
    return this.#discarding;
  }
}
