import { constants, fdatasync, read, writev, writevSync } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashInThread } from './file-hash.ts';
import { type FolderLocks, nodeLocks } from './folder-lock.ts';
import { PieceReader } from './piece-reader.ts';
import { SmallWrites } from './small-writes.ts';
import { hasCode } from './system-errors.ts';

export { hasCode, isDiskFull } from './system-errors.ts';

/** What the engine asks of a disk. Handed in, so that tests put one that fails in its place. */
export interface Disk {
  openForReading(path: string): Promise<DiskFile>;
  openForWriting(path: string): Promise<DiskFile>;
  /** Opens a new, empty file; what was there is gone. */
  create(path: string): Promise<DiskFile>;
  /** Names in a folder; undefined when there is no such folder. */
  list(folder: string): Promise<string[] | undefined>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is in it; one that is not there is no error. */
  removeFolder(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** What stands at that path, symbolic links followed; undefined when there is nothing. */
  look(path: string): Promise<DiskEntry | undefined>;
  /** Gives a file a second name, on the same file system. */
  link(from: string, to: string): Promise<void>;
  /** Copies a file; durable when it resolves, its name excepted. */
  copy(from: string, to: string): Promise<void>;
  /**
   * Reads many small pieces at once, each as far as its file reaches. Undefined, or missing, where they are to be read one
   * by one.
   */
  readPieces?(pieces: readonly Piece[]): Promise<Buffer[] | undefined>;
  /** SHA-256 of a file in hexadecimal, made beside the main thread. Without it, a file is read and hashed in the thread. */
  sha256?(path: string, signal?: AbortSignal): Promise<string>;
  /** Bytes that this user may still take of the disk that the path lies on. */
  freeBytes(path: string): Promise<number>;
  /** Who owns which of its folders. */
  readonly locks: FolderLocks;
}

/** A piece of a file that is open. */
export interface Piece {
  file: DiskFile;
  position: number;
  sizeBytes: number;
}

export interface DiskEntry {
  kind: 'file' | 'folder' | 'other';
  isSymbolicLink: boolean;
  sizeBytes: number;
}

export interface DiskFile {
  sizeBytes(): Promise<number>;
  /** Fills `into` from `position` on as far as the file reaches; gives the number of bytes read. */
  read(into: Buffer, position: number): Promise<number>;
  /** Writes all of it. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  /** `fdatasync`: everything written before is durable when it resolves. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Of the files of the machine's own disk. */
const descriptors = new WeakMap<DiskFile, number>();
const pieceReader = new PieceReader();
const smallWrites = new SmallWrites();

/** The machine's own disk. */
export const nodeDisk: Disk = {
  openForReading: async (path) => fileOf(await open(path, 'r')),
  openForWriting: async (path) => fileOf(await open(path, 'r+')),
  create: async (path) => fileOf(await open(path, 'w+')),
  async list(folder) {
    try {
      return await readdir(folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  rename,
  async remove(path) {
    try {
      await unlink(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  },
  removeFolder: (path) => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  syncFolder: (path) => syncPath(path),
  async look(path) {
    try {
      const [found, itself] = [await stat(path), await lstat(path)];
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
      return { kind, isSymbolicLink: itself.isSymbolicLink(), sizeBytes: found.size };
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  },
  link,
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  async copy(from, to) {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    await syncPath(to);
  },
  async readPieces(pieces) {
    const known = pieces.map(({ file, position, sizeBytes }) => ({
      fd: descriptors.get(file) ?? -1,
      position,
      sizeBytes,
    }));
    return known.some(({ fd }) => fd < 0) ? undefined : pieceReader.read(known);
  },
  sha256: hashInThread,
  locks: nodeLocks,
};

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function fileOf(handle: FileHandle): DiskFile {
  let syncsUnderWay = 0;
  const writeSome = async (buffers: Buffer[], position: number): Promise<number> => {
    // A write may have to wait for a sync of the same file.
    const inPlace =
      syncsUnderWay === 0
        ? smallWrites.inPlace(sizeOf(buffers), () => writevSync(handle.fd, buffers, position))
        : undefined;
    return inPlace ?? called<number>((done) => writev(handle.fd, buffers, position, done));
  };
  const file: DiskFile = {
    sizeBytes: async () => (await handle.stat()).size,
    async read(into, position) {
      let filled = 0;
      while (filled < into.length) {
        const bytesRead = await called<number>((done) =>
          read(handle.fd, into, filled, into.length - filled, position + filled, done),
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    write: (buffers, position) => writeAll(buffers, position, writeSome),
    async sync() {
      syncsUnderWay++;
      try {
        await called((done) => fdatasync(handle.fd, done));
      } finally {
        syncsUnderWay--;
      }
    },
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    close: () => handle.close(),
  };
  descriptors.set(file, handle.fd);
  return file;
}

function sizeOf(buffers: readonly Buffer[]): number {
  let sizeBytes = 0;
  for (const buffer of buffers) sizeBytes += buffer.length;
  return sizeBytes;
}

/** A call of Node's that tells its result to a callback: half the work of the same call that gives a promise. */
function called<Result = void>(call: (done: (error: Error | null, result?: Result) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error === null ? resolve(result as Result) : reject(error)));
  });
}

/**
 * Writes all of it, however little the system takes at once.
 * @param writeSome gives the number of bytes that it wrote
 */
export async function writeAll(
  buffers: readonly Buffer[],
  position: number,
  writeSome: (buffers: Buffer[], position: number) => Promise<number>,
): Promise<void> {
  let left = buffers.filter((buffer) => buffer.length > 0);
  let at = position;
  while (left.length > 0) {
    const bytesWritten = await writeSome(left, at);
    at += bytesWritten;
    left = without(left, bytesWritten);
  }
}

/** What is left of `buffers` after their first `bytes` bytes: the system may write less than it was asked to. */
function without(buffers: Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  let i = 0;
  while (i < buffers.length && skip >= buffers[i]!.length) skip -= buffers[i++]!.length;
  if (i === buffers.length) return [];
  return [buffers[i]!.subarray(skip), ...buffers.slice(i + 1)];
}

/** Ending of files that do not count yet. Whoever opens the folder removes them. */
export const PARTIAL = '.tmp';

/**
 * Puts a file in place at once or not at all: written beside its name, flushed, renamed, and the folder flushed.
 * Resolves to the open file.
 */
export async function createDurably(
  disk: Disk,
  folder: string,
  name: string,
  content: readonly Buffer[],
): Promise<DiskFile> {
  const path = join(folder, name);
  const file = await disk.create(path + PARTIAL);
  try {
    await file.write(content, 0);
    await file.sync();
    await disk.rename(path + PARTIAL, path);
    await disk.syncFolder(folder);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** Reads a whole file; undefined when it is not there. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  let file: DiskFile;
  try {
    file = await disk.openForReading(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(await file.sizeBytes());
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

/** Writes a new file and syncs it; its name becomes durable with its folder. */
export async function writeWhole(disk: Disk, path: string, content: Buffer): Promise<void> {
  const file = await disk.create(path);
  try {
    await file.write([content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Removes a folder whole or not at all: it takes a name that does not count first, so whoever finds that name after a
 * crash can finish.
 * @throws the system's `ENOENT` when the folder is not there
 */
export async function discardFolder(disk: Disk, path: string, trashPath: string): Promise<void> {
  await disk.rename(path, trashPath);
  await removeDiscarded(disk, trashPath);
}

/**
 * Removes what was left under a name that does not count; nothing there is no error. That it has left its own name is
 * made durable first: a crash could give the name back otherwise, but not what was removed.
 */
export async function removeDiscarded(disk: Disk, trashPath: string): Promise<void> {
  if ((await disk.look(trashPath)) === undefined) return;
  await disk.syncFolder(dirname(trashPath));
  await disk.removeFolder(trashPath);
}
