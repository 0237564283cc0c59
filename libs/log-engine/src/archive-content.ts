/** What an archive of a snapshot holds, in which order; bytes and rules: docs/formats/snapshot.md. */
import type { SnapshotManifest } from './api.ts';
import { EngineError } from './errors.ts';
import { leadsToFile } from './file-names.ts';
import { isSnapshotName, isVolumeName, volumeOfSnapshot } from './names.ts';
import { INDEX_ENDING, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import {
  CHECKPOINT_FILE,
  MANIFEST_FILE,
  parseCheckpoint,
  parseManifest,
  type SnapshotCheckpoint,
} from './snapshot-folder.ts';

/** A file of a snapshot, by its path in the snapshot's folder; of an index the size is not known beforehand. */
export interface ArchivedFile {
  path: string;
  sizeBytes?: number;
}

/** All that comes between the description, which is first, and the checksums, which are last. */
export function contentOf(manifest: SnapshotManifest, { volumes }: SnapshotCheckpoint): ArchivedFile[] {
  const journals = volumes.flatMap(({ name, segments }) =>
    segments.flatMap(([number, sizeBytes, generation = 0]) => {
      const baseName = `${name}/journal/${segmentBaseName({ number, generation })}`;
      return [{ path: baseName + SEGMENT_ENDING, sizeBytes }, { path: baseName + INDEX_ENDING }];
    }),
  );
  const files = manifest.files.map(({ volume, path, sizeBytes }) => ({ path: `${volume}/${path}`, sizeBytes }));
  return [...journals, ...files];
}

/**
 * Reads the manifest of a file that claims to be an archive. What it names leads nowhere but into the snapshot's folder.
 * @param name of the folder that the archive holds
 * @throws EngineError `archive-damaged`, `format-newer`
 */
export function foreignManifest(text: string, name: string): SnapshotManifest {
  return readAsOurs(MANIFEST_FILE, () => {
    const manifest = parseManifest(text, name);
    const { formatVersion, volume, volumes, files } = manifest;
    const isWhole =
      isCount(formatVersion) &&
      manifest.name === name &&
      isSnapshotName(name) &&
      volume === volumeOfSnapshot(name) &&
      volumes.every(isVolumeName) &&
      files.every((file) => volumes.includes(file.volume) && leadsToFile(file.path) && isCount(file.sizeBytes));
    return isWhole ? manifest : undefined;
  });
}

/** @throws EngineError `archive-damaged` */
export function foreignCheckpoint(text: string, manifest: SnapshotManifest): SnapshotCheckpoint {
  return readAsOurs(CHECKPOINT_FILE, () => {
    const checkpoint = parseCheckpoint(text, manifest);
    const isWhole =
      checkpoint.volumes.map(({ name }) => name).join() === manifest.volumes.join() &&
      checkpoint.volumes.every(({ segments }) => segments.flat().every(isCount));
    return isWhole ? checkpoint : undefined;
  });
}

/** @param what `it ends in the middle of …` */
export function archiveDamaged(what: string, cause?: unknown): EngineError {
  return new EngineError('archive-damaged', `the archive cannot be used: ${what}`, { cause });
}

/** Takes an unknown text for one of ours; where it is none, reading it fails in one way or the other. */
function readAsOurs<T>(file: string, read: () => T | undefined): T {
  let found: T | undefined;
  let cause: unknown;
  try {
    found = read();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    cause = error;
  }
  if (found === undefined) throw archiveDamaged(`its ${file} is none of a snapshot`, cause);
  return found;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
