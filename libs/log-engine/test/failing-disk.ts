import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';

/** What can be made to fail: of files that are written their `write` and `sync`, and what is done to names. */
export type DiskOperation = 'write' | 'sync' | 'create' | 'rename' | 'link' | 'copy' | 'syncFolder';

/** A disk that fails once told to, and counts what it is asked for after that. */
export class FailingDisk implements Disk {
  failing: DiskOperation | undefined;
  /** Only paths that hold this text fail; a file goes by the path that it was opened under. */
  failingPath = '';
  /** Code of the system's error. */
  code = 'EIO';
  /** Calls of the failing operation wait for this before they fail. */
  released: Promise<void> = Promise.resolve();
  /** Calls of the failing operation since it began to fail. */
  callsSinceFailure = 0;
  filesOpenedForReading = 0;
  /** Awaited before each `link`, `rename` and opening for reading: a test's turn to do something at that very moment. */
  beforeLink: () => Promise<void> = () => Promise.resolve();
  beforeRename: (from: string, to: string) => Promise<void> = () => Promise.resolve();
  beforeReading: (path: string) => Promise<void> = () => Promise.resolve();
  readonly #disk = nodeDisk;

  freeBytes = this.#disk.freeBytes;
  list = this.#disk.list;
  look = this.#disk.look;
  makeFolder = this.#disk.makeFolder;
  remove = this.#disk.remove;
  removeFolder = this.#disk.removeFolder;
  sha256 = this.#disk.sha256!;
  locks = this.#disk.locks;

  async rename(from: string, to: string): Promise<void> {
    await this.beforeRename(from, to);
    return this.#unlessFailing('rename', to, () => this.#disk.rename(from, to));
  }

  syncFolder(path: string): Promise<void> {
    return this.#unlessFailing('syncFolder', path, () => this.#disk.syncFolder(path));
  }

  async link(from: string, to: string): Promise<void> {
    await this.beforeLink();
    return this.#unlessFailing('link', to, () => this.#disk.link(from, to));
  }

  copy(from: string, to: string): Promise<void> {
    return this.#unlessFailing('copy', to, () => this.#disk.copy(from, to));
  }

  async openForReading(path: string): Promise<DiskFile> {
    this.filesOpenedForReading++;
    await this.beforeReading(path);
    return this.#disk.openForReading(path);
  }

  async openForWriting(path: string): Promise<DiskFile> {
    return this.#wrap(path, await this.#disk.openForWriting(path));
  }

  async create(path: string): Promise<DiskFile> {
    return this.#wrap(path, await this.#unlessFailing('create', path, () => this.#disk.create(path)));
  }

  #wrap(path: string, file: DiskFile): DiskFile {
    return {
      ...file,
      write: (buffers, position) => this.#unlessFailing('write', path, () => file.write(buffers, position)),
      sync: () => this.#unlessFailing('sync', path, () => file.sync()),
    };
  }

  async #unlessFailing<T>(operation: DiskOperation, path: string, work: () => Promise<T>): Promise<T> {
    if (this.failing !== operation || !path.includes(this.failingPath)) return work();
    this.callsSinceFailure++;
    await this.released;
    const message = `${this.code}: ${operation} ${path}`;
    throw Object.assign(new Error(message), { code: this.code, syscall: operation });
  }
}
