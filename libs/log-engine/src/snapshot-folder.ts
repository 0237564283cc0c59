/** Where snapshots lie, and what stands beside their files. Bytes and rules: docs/formats/snapshot.md. */
import { createHash, randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { SnapshotManifest } from './api.ts';
import { type Disk, discardFolder, hasCode, nodeDisk, PARTIAL, readWhole, removeDiscarded } from './disk.ts';
import { EngineError } from './errors.ts';
import type { Checkpoint } from './journal-state.ts';
import { type OnLeftover, tryToRemove } from './leftovers.ts';
import { isSnapshotName, volumeOfSnapshot } from './names.ts';

/** Newest format that this code writes and reads. */
export const SNAPSHOT_FORMAT_VERSION = 2;
export const MANIFEST_FILE = 'manifest.json';
export const CHECKPOINT_FILE = 'checkpoint.json';
export const CHECKSUMS_FILE = 'SHA256SUMS';
const SNAPSHOTS_FOLDER = '.snapshots';

/** The generation is there in the row of a side segment only. */
export type SegmentRow = [number: number, sizeBytes: number, generation?: number];

/** A volume in `checkpoint.json`: which segments its picture is made of, and the state behind the last of them. */
export interface FrozenVolume {
  name: string;
  /** 16 bytes in hexadecimal. */
  volumeId: string;
  segments: SegmentRow[];
  checkpoint: Checkpoint;
}

/** `checkpoint.json`; volumes in the order of the manifest. */
export interface SnapshotCheckpoint {
  volumes: FrozenVolume[];
}

export function snapshotsFolder(dataDir: string): string {
  return join(dataDir, SNAPSHOTS_FOLDER);
}

export function snapshotPath(dataDir: string, name: string): string {
  return join(snapshotsFolder(dataDir), name);
}

/** A snapshot in the making, or on its way out. A snapshot's name has no dot, so this is none. */
export function partialSnapshotPath(dataDir: string, name: string): string {
  return snapshotPath(dataDir, name) + PARTIAL;
}

/**
 * The snapshots that are there, the newest last. Reads their manifests only.
 * @param onDamaged told about each that cannot be read, which is then left out; without it such a one is thrown
 * @throws EngineError `snapshot-damaged`, `format-newer`
 */
export async function listSnapshots(
  dataDir: string,
  onDamaged?: (error: EngineError) => void,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<SnapshotManifest[]> {
  const manifests: SnapshotManifest[] = [];
  for (const name of await snapshotNames(disk, resolve(dataDir))) {
    try {
      manifests.push(await readManifest(disk, resolve(dataDir), name));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Deleted since the folder was listed.
      if (error.code === 'unknown-snapshot') continue;
      if (onDamaged === undefined) throw error;
      onDamaged(error);
    }
  }
  return manifests.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
}

/**
 * Removes a snapshot. A crash meanwhile leaves it whole, or gone; who has it open can read it no further.
 * @throws EngineError `unknown-snapshot`, `illegal-name`
 */
export async function deleteSnapshot(
  dataDir: string,
  name: string,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<void> {
  volumeOfSnapshot(name);
  const folder = resolve(dataDir);
  const trash = partialSnapshotPath(folder, `${name}.${randomBytes(8).toString('hex')}`);
  try {
    await discardFolder(disk, snapshotPath(folder, name), trash);
  } catch (error) {
    throw hasCode(error, 'ENOENT', 'ENOTDIR') ? await unknownSnapshot(disk, folder, name) : error;
  }
}

/** Makes durable which snapshots are there. */
export async function syncSnapshots(disk: Disk, dataDir: string): Promise<void> {
  const folder = snapshotsFolder(dataDir);
  if ((await disk.look(folder)) !== undefined) await disk.syncFolder(folder);
}

/** Removes what a crash left half made or half removed. For the owner of the data folder, when it opens it. */
export function sweepSnapshots(disk: Disk, dataDir: string, onLeftover: OnLeftover): Promise<void> {
  const folder = snapshotsFolder(dataDir);
  return tryToRemove(folder, onLeftover, async () => {
    for (const name of (await disk.list(folder)) ?? []) {
      const path = join(folder, name);
      if (name.endsWith(PARTIAL)) await tryToRemove(path, onLeftover, () => removeDiscarded(disk, path));
    }
  });
}

/** @throws EngineError `unknown-snapshot`, `snapshot-damaged`, `format-newer` */
export async function readManifest(disk: Disk, dataDir: string, name: string): Promise<SnapshotManifest> {
  const manifest = parseManifest(await readDescription(disk, dataDir, name, MANIFEST_FILE), name);
  if (manifest.name !== name) throw damagedSnapshot(name, `calls itself ${manifest.name}`);
  return manifest;
}

/** @throws EngineError `unknown-snapshot`, `snapshot-damaged` */
export async function readCheckpoint(disk: Disk, dataDir: string, manifest: SnapshotManifest) {
  return parseCheckpoint(await readDescription(disk, dataDir, manifest.name, CHECKPOINT_FILE), manifest);
}

/**
 * Reads the text of a manifest, whichever format it has.
 * @param name of the snapshot, for errors
 * @throws EngineError `format-newer`
 */
export function parseManifest(text: string, name: string): SnapshotManifest {
  const manifest = JSON.parse(text) as SnapshotManifest;
  if (manifest.formatVersion > SNAPSHOT_FORMAT_VERSION) {
    throw new EngineError(
      'format-newer',
      `snapshot ${name} has format ${manifest.formatVersion}; this version reads up to ${SNAPSHOT_FORMAT_VERSION}`,
    );
  }
  if (manifest.formatVersion > 1) return manifest;
  // Format 1 froze one volume.
  const { volume, files, ...others } = manifest;
  return { ...others, volume, volumes: [volume], files: files.map((file) => ({ ...file, volume })) };
}

/** Reads the text of a checkpoint, whichever format its manifest has. */
export function parseCheckpoint(text: string, { formatVersion, volume }: SnapshotManifest): SnapshotCheckpoint {
  const described: unknown = JSON.parse(text);
  if (formatVersion > 1) return described as SnapshotCheckpoint;
  return { volumes: [{ name: volume, ...(described as Omit<FrozenVolume, 'name'>) }] };
}

/** Reads one of the files that describe a snapshot, if it is the one that was written. */
async function readDescription(disk: Disk, dataDir: string, name: string, file: string): Promise<string> {
  const folder = snapshotPath(dataDir, name);
  const checksums = await readWhole(disk, join(folder, CHECKSUMS_FILE));
  const bytes = await readWhole(disk, join(folder, file));
  if (bytes === undefined || checksums === undefined) {
    if ((await disk.look(folder)) === undefined) throw await unknownSnapshot(disk, dataDir, name);
    throw damagedSnapshot(name, `has no ${bytes === undefined ? file : CHECKSUMS_FILE}`);
  }
  const line = `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`;
  if (!checksums.toString().includes(line)) throw damagedSnapshot(name, `${file} does not match ${CHECKSUMS_FILE}`);
  return bytes.toString();
}

export function damagedSnapshot(name: string, what: string): EngineError {
  return new EngineError('snapshot-damaged', `snapshot ${name} is damaged: ${what}`);
}

/** Says which there are. */
export async function unknownSnapshot(disk: Disk, dataDir: string, name: string): Promise<EngineError> {
  const names = await snapshotNames(disk, dataDir);
  const there = names.length === 0 ? 'there is none in this data folder' : `there are: ${names.join(', ')}`;
  return new EngineError('unknown-snapshot', `there is no snapshot ${name}; ${there}`);
}

async function snapshotNames(disk: Disk, dataDir: string): Promise<string[]> {
  return ((await disk.list(snapshotsFolder(dataDir))) ?? []).filter(isSnapshotName).sort();
}
