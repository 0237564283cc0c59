import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';

export type FileOperation = 'write' | 'sync';

/** A disk that fails once told to, on segment files, and counts what it is asked for after that. */
export class FailingDisk implements Disk {
  failing: FileOperation | undefined;
  /** Code of the system's error. */
  code = 'EIO';
  /** Calls of the failing operation wait for this before they fail. */
  released: Promise<void> = Promise.resolve();
  /** Calls of the failing operation since it began to fail. */
  callsSinceFailure = 0;
  filesOpenedForReading = 0;
  readonly #disk = nodeDisk;

  list = this.#disk.list;
  makeFolder = this.#disk.makeFolder;
  rename = this.#disk.rename;
  remove = this.#disk.remove;
  syncFolder = this.#disk.syncFolder;

  async openForReading(path: string): Promise<DiskFile> {
    this.filesOpenedForReading++;
    return this.#disk.openForReading(path);
  }

  async openForWriting(path: string): Promise<DiskFile> {
    return this.#wrap(await this.#disk.openForWriting(path));
  }

  async create(path: string): Promise<DiskFile> {
    return this.#wrap(await this.#disk.create(path));
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      ...file,
      write: (buffers, position) => this.#unlessFailing('write', () => file.write(buffers, position)),
      sync: () => this.#unlessFailing('sync', () => file.sync()),
    };
  }

  async #unlessFailing(operation: FileOperation, work: () => Promise<void>): Promise<void> {
    if (this.failing !== operation) return work();
    this.callsSinceFailure++;
    await this.released;
    throw Object.assign(new Error(`${this.code}: ${operation}`), { code: this.code });
  }
}
