/** A snapshot as one file, to move it to another machine: a POSIX tar, which any tar lists and unpacks. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Pack } from 'tar-stream';
import type { LogEngine, SnapshotArchive, SnapshotManifest, WorkOptions } from './api.ts';
import { contentOf } from './archive-content.ts';
import { type Disk, type DiskFile, hasCode, nodeDisk, PARTIAL } from './disk.ts';
import { EngineError } from './errors.ts';
import { formatChecksums } from './file-hash.ts';
import { volumeOfSnapshot } from './names.ts';
import {
  CHECKPOINT_FILE,
  CHECKSUMS_FILE,
  damagedSnapshot,
  deleteSnapshot,
  MANIFEST_FILE,
  readCheckpoint,
  snapshotPath,
  unknownSnapshot,
} from './snapshot-folder.ts';
import { verifySnapshot } from './snapshot-verification.ts';
import { writeFailure } from './write-failure.ts';

// Loaded with the first archive: few processes meet any.
const load = createRequire(import.meta.url);

const CHUNK_BYTES = 256 * 1024;
/** Of files: everybody may read them, their owner may write. */
const MODE = 0o644;

type ExportOptions = WorkOptions & { disk?: Disk };

/**
 * Verifies a snapshot and writes it as one file, which is there whole or not at all. From any process.
 * @throws EngineError `unknown-snapshot`, `illegal-name`, `snapshot-damaged`, `format-newer`, `file-exists`, `disk-full`,
 * `folder-unusable`
 */
export async function exportSnapshot(
  dataDir: string,
  name: string,
  toPath: string,
  options: ExportOptions = {},
): Promise<SnapshotArchive> {
  const { disk = nodeDisk, signal } = options;
  volumeOfSnapshot(name);
  const target = resolve(toPath);
  if ((await disk.look(target)) !== undefined)
    throw new EngineError('file-exists', `there is a file ${target} already`);
  const folder = resolve(dataDir);
  const { manifest, damages } = await verifySnapshot(folder, name, { ...options, onProgress: share(options, 0) });
  const [first] = damages;
  if (first !== undefined) throw damagedSnapshot(name, `${first.path} ${first.detail}`);
  try {
    const archive = new ArchiveWriter(disk, snapshotPath(folder, name), manifest, {
      ...options,
      onProgress: share(options, 1),
    });
    const { volumes } = await readCheckpoint(disk, folder, manifest);
    const sizeBytes = await archive.write(target + PARTIAL, contentOf(manifest, { volumes }));
    await disk.rename(target + PARTIAL, target);
    await disk.syncFolder(dirname(target));
    return { path: target, sizeBytes, manifest };
  } catch (error) {
    await disk.remove(target + PARTIAL).catch(() => undefined);
    if (signal?.aborted === true) throw signal.reason;
    // Deleted meanwhile.
    const isGone = hasCode(error, 'ENOENT') && (await disk.look(snapshotPath(folder, name))) === undefined;
    if (isGone) throw await unknownSnapshot(disk, folder, name);
    throw writeFailure(`archive ${target}`, error, 'export the snapshot again; nothing of the archive was kept');
  }
}

/**
 * Freezes a volume of a live engine, writes it as one file, and lets go of the snapshot.
 * @param dataDir of that engine
 * @throws EngineError as `createSnapshot` and `exportSnapshot`
 */
export async function exportVolume(
  engine: LogEngine,
  dataDir: string,
  volume: string,
  toPath: string,
  options: ExportOptions = {},
): Promise<SnapshotArchive> {
  const name = `${volume}@export-${randomBytes(6).toString('hex')}`;
  const { disk = nodeDisk } = options;
  await engine.createSnapshot(name, {});
  try {
    return await exportSnapshot(dataDir, name, toPath, options);
  } finally {
    await deleteSnapshot(dataDir, name, { disk });
  }
}

/** Each of two passes over the same bytes is half of the work. */
function share({ onProgress }: WorkOptions, pass: 0 | 1): NonNullable<WorkOptions['onProgress']> {
  return ({ done, total }) => onProgress?.({ done: pass * total + done, total: 2 * total });
}

class ArchiveWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #manifest: SnapshotManifest;
  readonly #options: WorkOptions;
  readonly #pack: Pack = (load('tar-stream') as typeof import('tar-stream')).pack();
  readonly #hashes = new Map<string, string>();
  #doneBytes = 0;

  constructor(disk: Disk, folder: string, manifest: SnapshotManifest, options: WorkOptions) {
    this.#disk = disk;
    this.#folder = folder;
    this.#manifest = manifest;
    this.#options = options;
  }

  /** Gives the archive's size in bytes. */
  async write(path: string, content: readonly { path: string }[]): Promise<number> {
    const file = await this.#disk.create(path);
    try {
      const packing = this.#packAll(content).catch((error: Error) => {
        // Whoever takes the bytes away learns it too, and waits for no more of them.
        this.#pack.destroy(error);
        throw error;
      });
      const [sizeBytes] = await Promise.all([this.#take(file), packing]);
      await file.sync();
      return sizeBytes;
    } finally {
      this.#pack.destroy();
      await file.close();
    }
  }

  async #take(file: DiskFile): Promise<number> {
    let sizeBytes = 0;
    for await (const chunk of this.#pack as AsyncIterable<Buffer>) {
      await file.write([chunk], sizeBytes);
      sizeBytes += chunk.length;
    }
    return sizeBytes;
  }

  async #packAll(content: readonly { path: string }[]): Promise<void> {
    for (const name of [MANIFEST_FILE, CHECKPOINT_FILE]) await this.#packFile(name);
    for (const { path } of content) await this.#packFile(path);
    const checksums = Buffer.from(formatChecksums(this.#hashes));
    await this.#packEntry(CHECKSUMS_FILE, checksums.length, async (put) => put(checksums));
    this.#pack.finalize();
  }

  async #packFile(path: string): Promise<void> {
    const file = await this.#disk.openForReading(join(this.#folder, path));
    try {
      const sizeBytes = await file.sizeBytes();
      await this.#packEntry(path, sizeBytes, async (put) => {
        const hash = createHash('sha256');
        for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) {
          this.#options.signal?.throwIfAborted();
          await put(await this.#readChunk(file, at, Math.min(CHUNK_BYTES, sizeBytes - at), hash));
        }
        this.#hashes.set(path, hash.digest('hex'));
      });
    } finally {
      await file.close();
    }
  }

  async #readChunk(file: DiskFile, at: number, sizeBytes: number, hash: Hash): Promise<Buffer> {
    const chunk = Buffer.allocUnsafe(sizeBytes);
    const read = await file.read(chunk, at);
    if (read < sizeBytes) throw damagedSnapshot(this.#manifest.name, 'one of its files became shorter');
    hash.update(chunk);
    const total = this.#manifest.sizeBytes;
    this.#doneBytes = Math.min(this.#doneBytes + read, total);
    this.#options.onProgress?.({ done: this.#doneBytes, total });
    return chunk;
  }

  #packEntry(
    path: string,
    size: number,
    fill: (put: (chunk: Buffer) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const name = `${this.#manifest.name}/${path}`;
    const header = { name, size, mode: MODE, mtime: new Date(this.#manifest.createdAtMs) };
    return new Promise((resolvePacked, reject) => {
      const entry = this.#pack.entry(header, (error) => (error ? reject(error) : resolvePacked()));
      const put = (chunk: Buffer): Promise<void> =>
        new Promise((taken, failed) => {
          entry.once('error', failed);
          const isTaken = entry.write(chunk);
          if (isTaken) taken();
          else entry.once('drain', taken);
        });
      fill(put).then(() => entry.end(), reject);
    });
  }
}
