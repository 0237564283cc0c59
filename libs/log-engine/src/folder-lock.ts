import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from './errors.ts';
import { hasCode } from './system-errors.ts';

const SOCKET_NAME = '.lock.sock';
/** The shortest limit among systems for a socket's path, with its closing zero. */
const MAX_SOCKET_PATH_BYTES = 103;
const ANSWER_TIMEOUT_MS = 1000;

export interface FolderLock {
  release(): Promise<void>;
}

/** Who owns which folder of a disk. What is owned is free again when its process has ended, however it did. */
export interface FolderLocks {
  /**
   * Makes this process the folder's only owner for as long as it lives.
   * @throws EngineError `folder-in-use`
   */
  lockFolder(folder: string): Promise<FolderLock>;
  /**
   * A sign of life: for as long as this process lives, or until it is released, `isHeld` says so of that name in that
   * folder. The name must be a new one, never used before: once nobody holds it, nobody ever will again.
   */
  hold(folder: string, name: string): Promise<FolderLock>;
  /**
   * True while a live process holds that name in that folder.
   * @throws EngineError `folder-unusable`
   */
  isHeld(folder: string, name: string): Promise<boolean>;
  /** Removes what a dead holder left of its name. */
  forgetHold(folder: string, name: string): Promise<void>;
}

/** Owners are known by Unix sockets: the system closes those of a process that was killed. */
export const nodeLocks: FolderLocks = { lockFolder, hold, isHeld, forgetHold };

/** Listens on a socket in the folder; what a killed process left there is known as stale and taken over. */
async function lockFolder(folder: string): Promise<FolderLock> {
  const path = await socketPath(folder, SOCKET_NAME);
  const server = await withTakeoverGuard(path, folder, async () => {
    const free = await listen(path);
    if (free !== undefined) return free;
    const owner = await ownerOf(path);
    if (owner !== undefined) throw inUse(folder, owner);
    await unlink(path);
    const taken = await listen(path);
    if (taken === undefined) throw inUse(folder, 'a process that took it at the same moment');
    return taken;
  });
  server.unref();
  return { release: () => closed(server) };
}

/**
 * True when a live process owns the folder, which is not taken; one that is not there is owned by nobody.
 * @throws EngineError `folder-unusable`
 */
export function isFolderOwned(folder: string): Promise<boolean> {
  return isHeld(folder, SOCKET_NAME);
}

async function hold(folder: string, name: string): Promise<FolderLock> {
  const path = await socketPath(folder, name);
  const server = await listen(path);
  if (server === undefined) throw new Error(`${path} is taken, though its name is new`);
  server.unref();
  return { release: () => closed(server) };
}

async function isHeld(folder: string, name: string): Promise<boolean> {
  try {
    return (await ownerOf(await socketPath(folder, name))) !== undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('folder-unusable', `who owns ${folder} cannot be seen: ${reason}`, { cause: error });
  }
}

async function forgetHold(folder: string, name: string): Promise<void> {
  try {
    await unlink(await socketPath(folder, name));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** A folder whose own path is too long for a socket's name gets one in the system's temporary folder. */
async function socketPath(folder: string, name: string): Promise<string> {
  const path = join(await realpath(folder), name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  return join(tmpdir(), `tickfold-${hashOf(path)}.sock`);
}

/**
 * Of two processes that find the same stale socket, one must not remove the fresh socket of the other. Linux has
 * sockets without a file, which vanish with their process: whoever holds that one may take over.
 */
async function withTakeoverGuard(path: string, folder: string, work: () => Promise<Server>): Promise<Server> {
  if (process.platform !== 'linux') return work();
  const guard = await listen(`\0tickfold-${hashOf(path)}`);
  if (guard === undefined) throw inUse(folder, 'a process that is just opening it');
  try {
    return await work();
  } finally {
    await closed(guard);
  }
}

/** Listens at that path; undefined when the path is taken. Whoever connects is told who listens. */
async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`process ${process.pid}`);
  });
  try {
    server.listen(path);
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) return undefined;
    throw error;
  }
}

/** Who listens at that path; undefined when nobody does any more. */
async function ownerOf(path: string): Promise<string | undefined> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) return undefined;
    throw error;
  }
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  // A stopped process takes the connection but does not answer; it owns the folder all the same.
  socket.on('error', () => socket.destroy());
  await once(socket, 'close');
  return answer || 'a process that does not answer';
}

function inUse(folder: string, owner: string): EngineError {
  return new EngineError('folder-in-use', `${folder} is in use by ${owner}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
