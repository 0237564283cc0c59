/**
 * Files of a volume that enter and leave by a record of its journal. They lie in `tables/` and `files/`, are put there by
 * rename and never edited; so whoever holds a version of the catalog knows what each of its files holds.
 */
import { dirname, join, resolve } from 'node:path';
import type { EngineEvent, FileDescription } from './api.ts';
import { type Disk, hasCode, PARTIAL } from './disk.ts';
import { EngineError } from './errors.ts';
import { hashFile } from './file-hash.ts';
import { checkFilePath } from './file-names.ts';
import { inParallel } from './in-parallel.ts';
import type { Journal } from './journal.ts';
import { tryToRemove } from './leftovers.ts';
import { writeFailure } from './write-failure.ts';

export interface CatalogContext {
  disk: Disk;
  dataDir: string;
  clock: () => number;
  onEvent: (event: EngineEvent) => void;
}

/** Brings files into volumes and takes them out, one at a time in each volume. */
export class FileCatalog {
  readonly #context: CatalogContext;
  /** Of each volume, the last work on its files. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(context: CatalogContext) {
    this.#context = context;
  }

  /** See `LogEngine.publishFile`. */
  async publish(journal: Journal, path: string, fromPath: string, details: object): Promise<FileDescription> {
    checkFilePath(path);
    mustBeFree(journal, path);
    const { disk, clock } = this.#context;
    const from = resolve(fromPath);
    const sizeBytes = await this.#makeDurable(from);
    const sha256 = await hashFile(disk, from);
    return this.whileUnchanged([journal.volume], async () => {
      mustBeFree(journal, path);
      const target = this.#pathOf(journal, path);
      try {
        await this.#moveIn(from, target, journal.volume);
      } catch (error) {
        throw writeFailure(`${path} of volume ${journal.volume}`, error, 'publish it again');
      }
      const file = { path, sizeBytes, sha256, publishedAtMs: clock(), details: { ...details } };
      try {
        await journal.record(() => ({ kind: 'file-published', ...file }) as const);
      } catch (error) {
        await this.#giveBack(journal, target, from);
        throw error;
      }
      return file;
    });
  }

  /** See `LogEngine.removeFile`. */
  remove(journal: Journal, path: string): Promise<void> {
    return this.whileUnchanged([journal.volume], async () => {
      await journal.record((state) => {
        if (!state.files.has(path)) throw unknownFile(`volume ${journal.volume} has no file ${path} in its catalog`);
        return { kind: 'file-removed', path } as const;
      });
      await this.#removeRemains(journal, [path]);
    });
  }

  /** Does the work while no file enters or leaves these volumes. */
  async whileUnchanged<T>(volumes: readonly string[], work: () => Promise<T>): Promise<T> {
    // Everyone takes their turns in the same order: so no two wait for each other.
    const [first, ...others] = [...volumes].sort();
    if (first === undefined) return work();
    const before = this.#turns.get(first) ?? Promise.resolve();
    const turn = before.then(() => this.whileUnchanged(others, work));
    const ended = turn.catch(() => undefined);
    this.#turns.set(first, ended);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(first) === ended) this.#turns.delete(first);
    }
  }

  /** After a crash: ends removals that it interrupted, and tells of files that are not as the catalog has them. */
  async recover(journal: Journal): Promise<void> {
    await this.#removeRemains(journal, [...journal.durable.removedFiles]);
    await inParallel([...journal.durable.files.values()], async ({ path, sizeBytes }) => {
      const found = await this.#context.disk.look(this.#pathOf(journal, path));
      if (found?.kind === 'file' && found.sizeBytes === sizeBytes) return;
      const what = found === undefined ? 'is missing' : `has ${found.sizeBytes} bytes instead of ${sizeBytes}`;
      const detail = `${this.#pathOf(journal, path)}, which the catalog of volume ${journal.volume} names, ${what}`;
      const mend = 'Restore the file from a copy or a snapshot, or remove it from the catalog.';
      this.#context.onEvent({ kind: 'file-damaged', volume: journal.volume, detail, mend });
    });
  }

  async #removeRemains(journal: Journal, paths: readonly string[]): Promise<void> {
    const { disk, onEvent } = this.#context;
    for (const path of paths) {
      const target = this.#pathOf(journal, path);
      const tell = (detail: string): void => onEvent({ kind: 'leftover-stays', volume: journal.volume, detail });
      await tryToRemove(target, tell, async () => {
        await disk.remove(target);
        journal.forgetRemovedFile(path);
      });
    }
  }

  /** Gives its size in bytes. */
  async #makeDurable(from: string): Promise<number> {
    const { disk } = this.#context;
    const found = await disk.look(from);
    if (found?.kind !== 'file' || found.isSymbolicLink) throw unknownFile(`there is no file ${from} to publish`);
    const file = await disk.openForReading(from);
    try {
      await file.sync();
      return await file.sizeBytes();
    } finally {
      await file.close();
    }
  }

  async #moveIn(from: string, target: string, volume: string): Promise<void> {
    const { disk, dataDir } = this.#context;
    const folder = dirname(target);
    await disk.makeFolder(folder);
    try {
      await disk.rename(from, target);
    } catch (error) {
      if (!hasCode(error, 'EXDEV')) throw error;
      // From another file system: copied beside its place first, so that it gets its name whole.
      await disk.remove(target + PARTIAL);
      await disk.copy(from, target + PARTIAL);
      await disk.rename(target + PARTIAL, target);
      await disk.remove(from);
    }
    for (let at = folder; at.length >= join(dataDir, volume).length; at = dirname(at)) await disk.syncFolder(at);
  }

  /**
   * Without its record a file is in no catalog: back to where the caller knows it. A volume that stopped may have written
   * the record all the same, and have the file in its catalog when it is opened again: there it stays in its place, too.
   */
  async #giveBack(journal: Journal, target: string, from: string): Promise<void> {
    const { disk } = this.#context;
    const back = journal.stopped === undefined ? disk.rename(target, from) : disk.link(target, from);
    await back.catch(() => undefined);
  }

  #pathOf({ volume }: Journal, path: string): string {
    return join(this.#context.dataDir, volume, path);
  }
}

/** @throws EngineError `file-exists` */
function mustBeFree(journal: Journal, path: string): void {
  if (!journal.durable.files.has(path)) return;
  throw new EngineError('file-exists', `volume ${journal.volume} has a file ${path} already`);
}

function unknownFile(message: string): EngineError {
  return new EngineError('unknown-file', message);
}
