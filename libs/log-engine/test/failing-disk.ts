import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';

export type FileOperation = 'write' | 'sync';

/** A disk that fails once told to, on segment files, and counts what it is asked for after that. */
export class FailingDisk implements Disk {
  failing: FileOperation | undefined;
  /** Calls of the failing operation since it began to fail. */
  callsSinceFailure = 0;
  readonly #disk = nodeDisk;

  openForReading = this.#disk.openForReading;
  list = this.#disk.list;
  makeFolder = this.#disk.makeFolder;
  rename = this.#disk.rename;
  remove = this.#disk.remove;
  syncFolder = this.#disk.syncFolder;

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
    throw Object.assign(new Error(`EIO: i/o error, ${operation}`), { code: 'EIO' });
  }
}
