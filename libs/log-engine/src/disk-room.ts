import type { EngineEvent } from './api.ts';
import type { Disk } from './disk.ts';
import { EngineError } from './errors.ts';

/** After so many bytes, or so much time of writing, the disk is looked at again. */
const BYTES_BETWEEN_LOOKS = 4 * 1024 * 1024;
const MS_BETWEEN_LOOKS = 100;

/**
 * Watches, beside the writes, how much room the disk has. Below a reserve no more data is taken: so group offsets,
 * decisions and deletions, from which room comes, still have theirs.
 */
export class DiskRoom {
  /** True while less than the reserve is free. */
  isLow = false;
  readonly #disk: Disk;
  readonly #dataDir: string;
  readonly #reserveBytes: number;
  readonly #clock: () => number;
  readonly #onEvent: (event: EngineEvent) => void;
  #looking: Promise<void> | undefined;
  #lookedAtMs = 0;
  #writtenBytes = 0;
  #hasFailed = false;

  constructor(
    disk: Disk,
    about: { dataDir: string; reserveBytes: number; clock: () => number; onEvent: (event: EngineEvent) => void },
  ) {
    this.#disk = disk;
    this.#dataDir = about.dataDir;
    this.#reserveBytes = about.reserveBytes;
    this.#clock = about.clock;
    this.#onEvent = about.onEvent;
  }

  /** Something was written; nobody waits for the look that this may bring about. */
  noteWritten(bytes: number): void {
    this.#writtenBytes += bytes;
    if (this.#writtenBytes < BYTES_BETWEEN_LOOKS && this.#clock() - this.#lookedAtMs < MS_BETWEEN_LOOKS) return;
    void this.look();
  }

  /** Looks now. */
  look(): Promise<void> {
    if (this.#reserveBytes === 0) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** @throws EngineError `disk-full` */
  check(): void {
    if (!this.isLow) return;
    throw new EngineError(
      'disk-full',
      `the disk of ${this.#dataDir} has less than ${this.#reserveBytes} bytes left, which are kept for offsets and deletions`,
      { retry: true, mend: 'Make room on that disk, or delete topics or records: appending then goes on by itself.' },
    );
  }

  async #look(): Promise<void> {
    this.#writtenBytes = 0;
    this.#lookedAtMs = this.#clock();
    try {
      const freeBytes = await this.#disk.freeBytes(this.#dataDir);
      this.#hasFailed = false;
      const isLow = freeBytes < this.#reserveBytes;
      if (isLow === this.isLow) return;
      this.isLow = isLow;
      this.#tell(freeBytes);
    } catch (error) {
      // Without an answer appends go on: a disk that is really full still says so.
      if (!this.#hasFailed) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#onEvent({
          kind: 'maintenance-failed',
          detail: `the room on the disk of ${this.#dataDir} is unknown: ${reason}`,
        });
      }
      this.#hasFailed = true;
    }
  }

  #tell(freeBytes: number): void {
    const detail = `${freeBytes} bytes are free on the disk of ${this.#dataDir}, ${this.#reserveBytes} are the reserve`;
    if (this.isLow) {
      this.#onEvent({ kind: 'disk-low', detail: `${detail}: no data is taken`, mend: 'Make room on that disk.' });
    } else this.#onEvent({ kind: 'disk-roomy', detail: `${detail}: data is taken again` });
  }
}
