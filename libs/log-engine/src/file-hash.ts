/** SHA-256 of whole files. A large one is hashed by a thread of its own: whoever serves others goes on meanwhile. */
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Disk } from './disk.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Runs as it stands, from sources as from what was built of them. */
const HASHING = `
const { createHash } = require('node:crypto');
const { openSync, readSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const [file, hash, chunk] = [openSync(workerData, 'r'), createHash('sha256'), Buffer.allocUnsafe(${CHUNK_BYTES})];
for (let read; (read = readSync(file, chunk)) > 0; ) hash.update(chunk.subarray(0, read));
parentPort.postMessage(hash.digest('hex'));
`;

/** Hashes a file of the machine's own disk beside the main thread. */
export async function hashInThread(path: string, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const worker = new Worker(HASHING, { eval: true, workerData: path });
  const stop = () => void worker.terminate();
  signal?.addEventListener('abort', stop);
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(signal?.reason ?? new Error(`hashing ${path} ended early`)));
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(disk: Disk, path: string, signal?: AbortSignal): Promise<string> {
  const file = await disk.openForReading(path);
  try {
    const sizeBytes = await file.sizeBytes();
    signal?.throwIfAborted();
    if (sizeBytes > CHUNK_BYTES && disk.sha256 !== undefined) return await disk.sha256(path, signal);
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes));
    for (let at = 0, read = 0; at < sizeBytes; at += read) {
      signal?.throwIfAborted();
      read = await file.read(chunk, at);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

/** Lines of `sha256sum`, by path. */
export function parseChecksums(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)];
  return new Map(lines.map(([, hash, path]) => [path!, hash!]));
}

export function formatChecksums(hashes: ReadonlyMap<string, string>): string {
  return [...hashes].map(([path, hash]) => `${hash}  ${path}\n`).join('');
}
