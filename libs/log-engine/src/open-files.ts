import type { Disk, DiskFile } from './disk.ts';

interface Entry {
  opening: Promise<DiskFile>;
  users: number;
  evicted: boolean;
}

/** Files open for reading, at most so many at a time; the one that was used longest ago is closed first. */
export class OpenFiles {
  readonly #disk: Disk;
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(disk: Disk, limit: number) {
    this.#disk = disk;
    this.#limit = limit;
  }

  /** Opens the file if need be and keeps it open for as long as `work` takes. */
  async use<T>(path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(path) ?? { opening: this.#disk.openForReading(path), users: 0, evicted: false };
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    entry.users++;
    this.#evictDownTo(this.#limit);
    try {
      return await work(await entry.opening);
    } catch (error) {
      await entry.opening.catch(() => this.forget(path));
      throw error;
    } finally {
      entry.users--;
      if (entry.evicted && entry.users === 0) this.#close(entry);
    }
  }

  /** Closes the file once nobody reads it any more. */
  forget(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    entry.evicted = true;
    if (entry.users === 0) this.#close(entry);
  }

  /** Closes all files; resolves when none is open. */
  async close(): Promise<void> {
    this.#evictDownTo(0);
    await Promise.all(this.#closing);
  }

  #evictDownTo(limit: number): void {
    for (const path of this.#entries.keys()) {
      if (this.#entries.size <= limit) return;
      this.forget(path);
    }
  }

  #close(entry: Entry): void {
    // A file that could not be opened has told its reader so; there is nothing to close.
    const closing: Promise<void> = entry.opening.then(
      (file) => file.close(),
      () => undefined,
    );
    this.#closing.add(closing);
    closing.finally(() => this.#closing.delete(closing)).catch(() => undefined);
  }
}
