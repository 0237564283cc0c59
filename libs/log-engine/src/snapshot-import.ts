/** A snapshot from an archive: nothing of it counts before every byte was checked. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry } from 'tar-stream';
import type { SnapshotManifest, WorkOptions } from './api.ts';
import { archiveDamaged, contentOf, foreignCheckpoint, foreignManifest } from './archive-content.ts';
import { type Disk, hasCode, nodeDisk, writeWhole } from './disk.ts';
import { EngineError } from './errors.ts';
import { formatChecksums, parseChecksums } from './file-hash.ts';
import { volumeOfSnapshot } from './names.ts';
import {
  CHECKPOINT_FILE,
  CHECKSUMS_FILE,
  MANIFEST_FILE,
  type SnapshotCheckpoint,
  snapshotPath,
  snapshotsFolder,
} from './snapshot-folder.ts';
import { verifyFolder } from './snapshot-verification.ts';
import { snapshotExists } from './snapshot-writer.ts';
import { letGo, makeStagingFolder, newStagingId, stagingPath, sweepStaging } from './staging-folder.ts';
import { writeFailure } from './write-failure.ts';

// Loaded with the first archive: few processes meet any.
const load = createRequire(import.meta.url);

const CHUNK_BYTES = 256 * 1024;
/** What describes a snapshot is read as a whole; what is larger was not made by us. */
const MAX_DESCRIPTION_BYTES = 256 * 1024 * 1024;
const UNPACKED = 'snapshot';

/**
 * Takes a snapshot in that `exportSnapshot` has written, whole or not at all: from any process, with or without an owner of
 * the data folder.
 * @param options.as another name for it, of the same volume
 * @throws EngineError `unknown-file`, `archive-damaged`, `snapshot-exists`, `illegal-name`, `format-newer`, `disk-full`,
 * `folder-unusable`
 */
export async function importSnapshot(
  dataDir: string,
  fromPath: string,
  options: WorkOptions & { as?: string; disk?: Disk } = {},
): Promise<SnapshotManifest> {
  const { disk = nodeDisk, as, signal } = options;
  if (as !== undefined) volumeOfSnapshot(as);
  const [folder, from] = [resolve(dataDir), resolve(fromPath)];
  if ((await disk.look(from))?.kind !== 'file') throw new EngineError('unknown-file', `there is no file ${from}`);
  const id = newStagingId();
  try {
    await sweepStaging(disk, folder, () => undefined);
    const held = await makeStagingFolder(disk, folder, id);
    try {
      const reader = new ArchiveReader(disk, folder, join(stagingPath(folder, id), UNPACKED), as);
      const snapshot = await reader.read(from, options);
      await snapshot.moveIn();
      return snapshot.manifest;
    } finally {
      await letGo(disk, folder, id, held);
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw writeFailure(`what is in ${from}`, error, 'import it again; nothing of it was kept');
  }
}

/** Unpacks an archive while it is read, and compares it with what it says of itself. */
class ArchiveReader {
  readonly #disk: Disk;
  readonly #dataDir: string;
  readonly #folder: string;
  readonly #as: string | undefined;
  readonly #hashes = new Map<string, string>();
  /** What is still to come, with its size where that is known; after the description was read. */
  readonly #expected = new Map<string, number | undefined>();
  readonly #folders = new Set<string>();
  #archivedName = '';
  #manifestText = '';
  #manifest: SnapshotManifest | undefined;
  #checkpoint: SnapshotCheckpoint | undefined;
  #isComplete = false;

  constructor(disk: Disk, dataDir: string, folder: string, as: string | undefined) {
    this.#disk = disk;
    this.#dataDir = dataDir;
    this.#folder = folder;
    this.#as = as;
  }

  async read(from: string, options: WorkOptions): Promise<UnpackedSnapshot> {
    const file = await this.#disk.openForReading(from);
    try {
      const sizeBytes = await file.sizeBytes();
      await this.#unpack(chunksOf(file, sizeBytes, options));
      const unpacked = this.#described();
      await this.#verify(unpacked, sizeBytes, options);
      return unpacked;
    } finally {
      await file.close();
    }
  }

  async #unpack(chunks: AsyncIterable<Buffer>): Promise<void> {
    const { extract } = load('tar-stream') as typeof import('tar-stream');
    const archive = extract();
    const reading = (async () => {
      for await (const entry of archive) await this.#takeEntry(entry);
    })();
    const [fed, read] = await Promise.allSettled([pipeline(Readable.from(chunks), archive), reading]);
    // Of the two, the reader knows better what is wrong; the other one learns only that nobody takes its bytes.
    for (const end of [read, fed]) if (end.status === 'rejected') throw explained(end.reason);
    if (!this.#isComplete) throw archiveDamaged(this.#archivedName === '' ? 'it is empty' : 'it ends too early');
  }

  async #takeEntry(entry: Entry): Promise<void> {
    const { name, type, size = 0 } = entry.header;
    if (this.#archivedName === '') {
      this.#archivedName = name.slice(0, -`/${MANIFEST_FILE}`.length);
      if (name !== `${this.#archivedName}/${MANIFEST_FILE}`) {
        throw archiveDamaged(`it begins with "${name}" instead of the manifest of a snapshot`);
      }
    }
    const path = name.slice(this.#archivedName.length + 1);
    if (type !== 'file' || name !== `${this.#archivedName}/${path}`) throw unexpected(name);
    if (this.#manifest === undefined) await this.#takeManifest(entry, path);
    else if (this.#checkpoint === undefined) await this.#takeCheckpoint(entry, path, this.#manifest);
    else if (path === CHECKSUMS_FILE) await this.#takeChecksums(entry);
    else await this.#takeContent(entry, path, size);
  }

  async #takeManifest(entry: Entry, path: string): Promise<void> {
    if (path !== MANIFEST_FILE) throw unexpected(entry.header.name);
    this.#manifestText = await this.#takeText(entry, path);
    const manifest = foreignManifest(this.#manifestText, this.#archivedName);
    const name = this.#as ?? manifest.name;
    if (volumeOfSnapshot(name) !== manifest.volume) {
      throw new EngineError('illegal-name', `a snapshot of volume ${manifest.volume} cannot be called ${name}`, {
        mend: `Begin its name with ${manifest.volume}@.`,
      });
    }
    if ((await this.#disk.look(snapshotPath(this.#dataDir, name))) !== undefined) throw snapshotExists(name);
    await this.#disk.makeFolder(this.#folder);
    this.#manifest = { ...manifest, name };
  }

  async #takeCheckpoint(entry: Entry, path: string, manifest: SnapshotManifest): Promise<void> {
    if (path !== CHECKPOINT_FILE) throw unexpected(entry.header.name);
    const text = await this.#takeText(entry, path);
    this.#checkpoint = foreignCheckpoint(text, manifest);
    for (const file of contentOf(manifest, this.#checkpoint)) this.#expected.set(file.path, file.sizeBytes);
    await writeWhole(this.#disk, join(this.#folder, path), Buffer.from(text));
  }

  async #takeChecksums(entry: Entry): Promise<void> {
    const checksums = parseChecksums(String(await wholeOf(entry)));
    const [missing] = this.#expected.keys();
    if (missing !== undefined) throw archiveDamaged(`${missing} is missing`);
    for (const [path, hash] of this.#hashes) {
      if (checksums.get(path) !== hash) throw archiveDamaged(`${path} does not match ${CHECKSUMS_FILE}`);
    }
    this.#isComplete = true;
  }

  async #takeContent(entry: Entry, path: string, sizeBytes: number): Promise<void> {
    if (!this.#expected.has(path)) throw unexpected(entry.header.name);
    const expectedBytes = this.#expected.get(path) ?? sizeBytes;
    if (sizeBytes !== expectedBytes) {
      throw archiveDamaged(`${path} has ${sizeBytes} bytes instead of ${expectedBytes}`);
    }
    this.#expected.delete(path);
    await this.#makeFolderOf(path);
    const hash = createHash('sha256');
    const file = await this.#disk.create(join(this.#folder, path));
    try {
      let at = 0;
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        hash.update(chunk);
        await file.write([chunk], at);
        at += chunk.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    this.#hashes.set(path, hash.digest('hex'));
  }

  async #takeText(entry: Entry, path: string): Promise<string> {
    const bytes = await wholeOf(entry);
    this.#hashes.set(path, createHash('sha256').update(bytes).digest('hex'));
    return bytes.toString();
  }

  async #makeFolderOf(path: string): Promise<void> {
    const folder = dirname(join(this.#folder, path));
    if (this.#folders.has(folder)) return;
    await this.#disk.makeFolder(folder);
    for (let at = folder; at.length > this.#folder.length; at = dirname(at)) this.#folders.add(at);
  }

  #described(): UnpackedSnapshot {
    const manifest = this.#manifest!;
    const { name } = manifest;
    // Every further field as it was, whichever format it has.
    const text = name === this.#archivedName ? this.#manifestText : renamed(this.#manifestText, name);
    const checksums = new Map(this.#hashes).set(MANIFEST_FILE, createHash('sha256').update(text).digest('hex'));
    const [disk, dataDir, folder] = [this.#disk, this.#dataDir, this.#folder];
    const folders = [...this.#folders];
    return new UnpackedSnapshot({ disk, dataDir, folder, folders, text, manifest, checksums });
  }

  /** @throws EngineError `archive-damaged`: its hashes are right, but it was damaged when they were made */
  async #verify({ manifest, checksums }: UnpackedSnapshot, archiveBytes: number, options: WorkOptions): Promise<void> {
    const [disk, folder, checkpoint] = [this.#disk, this.#folder, this.#checkpoint!];
    const onProgress = ({ done, total }: { done: number; total: number }): void =>
      options.onProgress?.({ done: Math.floor(archiveBytes * (1 + done / total)), total: 2 * archiveBytes });
    const { damages } = await verifyFolder(
      { disk, folder, manifest, checkpoint, checksums },
      { ...options, onProgress },
    );
    const [first] = damages;
    if (first !== undefined) throw archiveDamaged(`${first.path} ${first.detail}`);
  }
}

interface UnpackedParts {
  disk: Disk;
  dataDir: string;
  folder: string;
  /** All folders below that one. */
  folders: readonly string[];
  /** What its `manifest.json` is to hold. */
  text: string;
  manifest: SnapshotManifest;
  checksums: ReadonlyMap<string, string>;
}

/** A snapshot that is whole, but not in its place yet. */
class UnpackedSnapshot {
  readonly manifest: SnapshotManifest;
  readonly checksums: ReadonlyMap<string, string>;
  readonly #parts: UnpackedParts;

  constructor(parts: UnpackedParts) {
    this.manifest = parts.manifest;
    this.checksums = parts.checksums;
    this.#parts = parts;
  }

  /** @throws EngineError `snapshot-exists` */
  async moveIn(): Promise<void> {
    const { disk, dataDir, folder, folders, text } = this.#parts;
    await writeWhole(disk, join(folder, MANIFEST_FILE), Buffer.from(text));
    await writeWhole(disk, join(folder, CHECKSUMS_FILE), Buffer.from(formatChecksums(this.checksums)));
    for (const path of [...folders, folder]) await disk.syncFolder(path);
    await disk.makeFolder(snapshotsFolder(dataDir));
    await disk.syncFolder(dataDir);
    const path = snapshotPath(dataDir, this.manifest.name);
    try {
      await disk.rename(folder, path);
    } catch (error) {
      throw hasCode(error, 'ENOTEMPTY', 'EEXIST') ? snapshotExists(this.manifest.name) : error;
    }
    await disk.syncFolder(snapshotsFolder(dataDir));
  }
}

async function* chunksOf(
  file: { read(into: Buffer, position: number): Promise<number> },
  sizeBytes: number,
  { signal, onProgress }: WorkOptions,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes; ) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - at));
    const read = await file.read(chunk, at);
    if (read === 0) return;
    at += read;
    onProgress?.({ done: at, total: 2 * sizeBytes });
    yield chunk.subarray(0, read);
  }
}

/** @throws EngineError `archive-damaged` */
async function wholeOf(entry: Entry): Promise<Buffer> {
  const { name, size = 0 } = entry.header;
  if (size > MAX_DESCRIPTION_BYTES) throw archiveDamaged(`${name} has ${size} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function renamed(manifestText: string, name: string): string {
  const manifest = JSON.parse(manifestText) as object;
  return `${JSON.stringify({ ...manifest, name }, undefined, 2)}\n`;
}

function unexpected(name: string): EngineError {
  return archiveDamaged(`it holds "${name}", which does not belong there`);
}

/** What tar-stream says is about the bytes it was given. */
function explained(error: unknown): unknown {
  const isOurs = error instanceof EngineError || (error instanceof Error && 'syscall' in error);
  return isOurs ? error : archiveDamaged(error instanceof Error ? error.message : String(error), error);
}
