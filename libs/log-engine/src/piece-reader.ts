/**
 * Reads many small pieces of files by a thread of its own, which waits for one after the other. Where the system has them
 * in memory, that takes a fifth of the time that Node's thread pool needs, for which each piece is a task.
 */
import { Worker } from 'node:worker_threads';

/** A piece of an open file. */
export interface FdPiece {
  fd: number;
  position: number;
  sizeBytes: number;
}

/** A piece that takes longer came from the disk, for which several threads wait better than one. */
const MAX_PIECE_MS = 0.05;

/** Runs as it stands, from sources as from what was built of them. */
const READING = `
const { readSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ id, pieces, memory }) => {
  const begin = performance.now();
  try {
    let at = 0;
    const filled = pieces.map(({ fd, position, sizeBytes }) => {
      let size = 0;
      for (let read = -1; read !== 0 && size < sizeBytes; size += read) {
        read = readSync(fd, memory, at + size, sizeBytes - size, position + size);
      }
      at += sizeBytes;
      return size;
    });
    parentPort.postMessage({ id, filled, memory, elapsedMs: performance.now() - begin }, [memory.buffer]);
  } catch ({ message, code, syscall }) {
    parentPort.postMessage({ id, failure: { message, code, syscall } });
  }
});
`;

type Answer =
  | { id: number; filled: number[]; memory: Uint8Array; elapsedMs: number }
  | { id: number; failure: { message: string; code: string; syscall: string } };

/** Begins its thread with the first reading; the thread keeps no process alive. */
export class PieceReader {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #nextId = 0;
  /** The last pieces were not in memory: the next ones are left to several threads. */
  #waitsForDisk = false;

  /**
   * Each piece as far as its file reaches, all of them views over one memory. Undefined where the pieces are better read
   * one by one: when the last ones came from the disk, or there is no thread.
   * @throws the system's error
   */
  async read(pieces: readonly FdPiece[]): Promise<Buffer[] | undefined> {
    if (this.#waitsForDisk) {
      this.#waitsForDisk = false;
      return undefined;
    }
    const answer = await this.#ask(pieces);
    if (answer === undefined) return undefined;
    if ('failure' in answer) throw Object.assign(new Error(answer.failure.message), answer.failure);
    const { filled, memory, elapsedMs } = answer;
    this.#waitsForDisk = elapsedMs > pieces.length * MAX_PIECE_MS;
    const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
    let at = 0;
    return pieces.map(({ sizeBytes }, i) => {
      const piece = bytes.subarray(at, at + filled[i]!);
      at += sizeBytes;
      return piece;
    });
  }

  #ask(pieces: readonly FdPiece[]): Promise<Answer | undefined> {
    const id = this.#nextId++;
    const memory = Buffer.allocUnsafeSlow(pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker ??= this.#start();
      // The process goes on until the answer is there, as it would for a read by the pool.
      this.#worker.ref();
      this.#worker.postMessage({ id, pieces, memory }, [memory.buffer]);
    });
  }

  #start(): Worker {
    const worker = new Worker(READING, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) worker.unref();
    });
    // What it did not answer is read otherwise; the next reading tries a new thread.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const resolve of this.#waiting.values()) resolve(undefined);
      this.#waiting.clear();
    });
    return worker;
  }
}
