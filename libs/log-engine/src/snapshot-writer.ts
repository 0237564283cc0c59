import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FileDescription, Pins, SnapshotManifest } from './api.ts';
import { type Disk, hasCode, removeDiscarded, writeWhole } from './disk.ts';
import { EngineError } from './errors.ts';
import { formatChecksums } from './file-hash.ts';
import { FILE_FOLDERS, isPublishedName } from './file-names.ts';
import { inParallel } from './in-parallel.ts';
import type { JournalCut } from './journal-context.ts';
import { linkOrCopy } from './link-file.ts';
import { volumeOfSnapshot } from './names.ts';
import { INDEX_ENDING, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import {
  CHECKPOINT_FILE,
  CHECKSUMS_FILE,
  type FrozenVolume,
  MANIFEST_FILE,
  partialSnapshotPath,
  type SegmentRow,
  SNAPSHOT_FORMAT_VERSION,
  type SnapshotCheckpoint,
  snapshotPath,
  snapshotsFolder,
} from './snapshot-folder.ts';
import { hashablePaths, PENDING_FILE } from './snapshot-hashes.ts';
import { writeFailure } from './write-failure.ts';

const JOURNAL_FOLDER = 'journal';

/** What is to be written down about a snapshot, besides the cut itself. */
export interface SnapshotOrder {
  name: string;
  createdAtMs: number;
  pins: Pins;
}

/** A volume, cut where it is to be frozen. */
export interface VolumeCut {
  volume: string;
  cut: JournalCut;
}

/**
 * Writes a snapshot of cuts that were made at one moment: in a folder that does not count, synced, then renamed. A failure leaves nothing.
 * @throws EngineError `snapshot-exists`, `disk-full`, `folder-unusable`
 */
export async function writeSnapshot(
  disk: Disk,
  dataDir: string,
  order: SnapshotOrder,
  cuts: readonly VolumeCut[],
): Promise<SnapshotManifest> {
  const partial = partialSnapshotPath(dataDir, order.name);
  const path = snapshotPath(dataDir, order.name);
  let isInPlace = false;
  try {
    // What an earlier failure could not remove must not become part of this one.
    await removeDiscarded(disk, partial);
    await disk.makeFolder(partial);
    await disk.syncFolder(dataDir);
    const manifest = await new Writer(disk, dataDir, partial).write(order, cuts);
    await moveIn(disk, partial, path, order.name);
    isInPlace = true;
    await disk.syncFolder(snapshotsFolder(dataDir));
    return manifest;
  } catch (error) {
    const isGone = await takeBack(disk, partial, isInPlace ? path : undefined);
    const rest = isGone ? 'nothing of it was kept' : 'what was written of it could not be removed';
    throw writeFailure(`snapshot ${order.name}`, error, `take the snapshot again; ${rest}`);
  }
}

/** @throws EngineError `snapshot-exists` */
export async function moveIn(disk: Disk, partial: string, path: string, name: string): Promise<void> {
  try {
    await disk.rename(partial, path);
  } catch (error) {
    throw hasCode(error, 'ENOTEMPTY', 'EEXIST') ? snapshotExists(name) : error;
  }
}

/** False where that fails too: of two errors, the first is the one to be told. */
async function takeBack(disk: Disk, partial: string, path: string | undefined): Promise<boolean> {
  try {
    if (path !== undefined) {
      await disk.rename(path, partial);
      await removeDiscarded(disk, partial);
    } else {
      await disk.removeFolder(partial);
    }
    return true;
  } catch {
    return false;
  }
}

/** @throws EngineError `snapshot-exists` */
export function snapshotExists(name: string): EngineError {
  return new EngineError('snapshot-exists', `there is a snapshot ${name} already`);
}

class Writer {
  readonly #disk: Disk;
  readonly #dataDir: string;
  readonly #partial: string;
  readonly #files: SnapshotManifest['files'] = [];
  /** Of files that have one already, by path in the snapshot's folder. */
  readonly #hashes = new Map<string, string>();
  #sizeBytes = 0;

  constructor(disk: Disk, dataDir: string, partial: string) {
    this.#disk = disk;
    this.#dataDir = dataDir;
    this.#partial = partial;
  }

  async write(order: SnapshotOrder, cuts: readonly VolumeCut[]): Promise<SnapshotManifest> {
    for (const cut of cuts) await this.#linkVolume(cut);
    const volumes = cuts.map(({ volume }) => volume);
    const manifest: SnapshotManifest = {
      formatVersion: SNAPSHOT_FORMAT_VERSION,
      name: order.name,
      volume: volumeOfSnapshot(order.name),
      volumes,
      id: randomBytes(16).toString('hex'),
      createdAtMs: order.createdAtMs,
      topics: cuts.flatMap(({ cut }) => topicsOf(cut)),
      files: volumes.flatMap((volume) =>
        this.#files.filter((file) => file.volume === volume).sort((a, b) => (a.path < b.path ? -1 : 1)),
      ),
      sizeBytes: this.#sizeBytes,
      pins: order.pins,
    };
    await this.#describe(manifest, cuts);
    return manifest;
  }

  async #linkVolume({ volume, cut }: VolumeCut): Promise<void> {
    const target = join(this.#partial, volume);
    await this.#linkJournal(cut, join(target, JOURNAL_FOLDER));
    for (const folder of FILE_FOLDERS) await this.#linkFolder(volume, folder, join(target, folder));
    this.#takeHashes(volume, cut.checkpoint.files ?? []);
    await this.#disk.syncFolder(target);
  }

  /** What was linked under a path of the catalog is what the catalog says: no file enters or leaves meanwhile. */
  #takeHashes(volume: string, catalog: readonly FileDescription[]): void {
    const frozen = new Map(this.#files.filter((file) => file.volume === volume).map((file) => [file.path, file]));
    for (const { path, sizeBytes, sha256 } of catalog) {
      if (frozen.get(path)?.sizeBytes === sizeBytes) this.#hashes.set(`${volume}/${path}`, sha256);
    }
  }

  async #describe(manifest: SnapshotManifest, cuts: readonly VolumeCut[]): Promise<void> {
    const state: SnapshotCheckpoint = { volumes: cuts.map(frozenVolume) };
    const checksums = new Map<string, string>();
    const texts: [name: string, text: string][] = [
      [MANIFEST_FILE, JSON.stringify(manifest, undefined, 2)],
      [CHECKPOINT_FILE, JSON.stringify(state)],
    ];
    const files = texts.map(([name, text]) => ({ name, bytes: Buffer.from(`${text}\n`) }));
    for (const { name, bytes } of files) checksums.set(name, createHash('sha256').update(bytes).digest('hex'));
    await inParallel(files, ({ name, bytes }) => writeWhole(this.#disk, join(this.#partial, name), bytes));
    for (const [path, hash] of this.#hashes) checksums.set(path, hash);
    const hasAll = hashablePaths(manifest).every((path) => checksums.has(path));
    if (!hasAll) await writeWhole(this.#disk, join(this.#partial, PENDING_FILE), Buffer.alloc(0));
    await writeWhole(this.#disk, join(this.#partial, CHECKSUMS_FILE), Buffer.from(formatChecksums(checksums)));
    await this.#disk.syncFolder(this.#partial);
  }

  async #linkJournal(cut: JournalCut, target: string): Promise<void> {
    await this.#disk.makeFolder(target);
    await inParallel(cut.segments, async ({ sizeBytes, ...name }) => {
      const baseName = segmentBaseName(name);
      const [segment, index] = [baseName + SEGMENT_ENDING, baseName + INDEX_ENDING];
      await linkOrCopy(this.#disk, join(cut.folder, segment), join(target, segment));
      await linkOrCopy(this.#disk, join(cut.folder, index), join(target, index));
      this.#sizeBytes += sizeBytes;
    });
    await this.#disk.syncFolder(target);
  }

  /** @param path relative to the volume, with `/` */
  async #linkFolder(volume: string, path: string, target: string): Promise<void> {
    const names = await this.#disk.list(join(this.#dataDir, volume, path));
    if (names === undefined) return;
    await this.#disk.makeFolder(target);
    await inParallel(names.filter(isPublishedName), (name) =>
      this.#linkEntry(volume, `${path}/${name}`, join(target, name)),
    );
    await this.#disk.syncFolder(target);
  }

  async #linkEntry(volume: string, path: string, target: string): Promise<void> {
    const from = join(this.#dataDir, volume, path);
    const entry = await this.#disk.look(from);
    if (entry?.kind === 'folder' && !entry.isSymbolicLink) return this.#linkFolder(volume, path, target);
    if (entry?.kind !== 'file') return;
    try {
      // A link to a symbolic link would change with what that points to.
      if (entry.isSymbolicLink) await this.#disk.copy(from, target);
      else await linkOrCopy(this.#disk, from, target);
    } catch (error) {
      // Taken back by who had published it, since the folder was listed.
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    // The name may have passed to another file since it was looked at; this is the one that is kept.
    const sizeBytes = (await this.#disk.look(target))?.sizeBytes ?? 0;
    this.#files.push({ volume, path, sizeBytes });
    this.#sizeBytes += sizeBytes;
  }
}

function segmentRow({ number, generation, sizeBytes }: JournalCut['segments'][number]): SegmentRow {
  return generation === 0 ? [number, sizeBytes] : [number, sizeBytes, generation];
}

function frozenVolume({ volume, cut }: VolumeCut): FrozenVolume {
  return {
    name: volume,
    volumeId: cut.volumeId.toString('hex'),
    segments: cut.segments.map(segmentRow),
    checkpoint: cut.checkpoint,
  };
}

function topicsOf({ checkpoint }: JournalCut): SnapshotManifest['topics'] {
  const places = new Map(checkpoint.partitions.map(([id, start, end]) => [id, { start: `${start}`, end: `${end}` }]));
  return checkpoint.topics.map(({ name, partitionIds }) => ({
    name,
    partitions: partitionIds.map((id) => places.get(id) ?? { start: '0', end: '0' }),
  }));
}
