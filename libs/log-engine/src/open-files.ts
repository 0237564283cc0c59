import type { Disk, DiskFile, Piece } from './disk.ts';

/** Pieces of one file. */
export interface FilePieces {
  path: string;
  places: { position: number; sizeBytes: number }[];
}

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

  /** Reads many small pieces at once, in the order given; undefined where they are to be read one by one. */
  async readPieces(wanted: readonly FilePieces[]): Promise<Buffer[] | undefined> {
    const disk = this.#disk;
    if (disk.readPieces === undefined) return undefined;
    const pieces: Piece[] = [];
    const withFilesFrom = (i: number): Promise<Buffer[] | undefined> => {
      const next = wanted[i];
      if (next === undefined) return disk.readPieces!(pieces);
      return this.use(next.path, (file) => {
        for (const { position, sizeBytes } of next.places) pieces.push({ file, position, sizeBytes });
        return withFilesFrom(i + 1);
      });
    };
    return withFilesFrom(0);
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
