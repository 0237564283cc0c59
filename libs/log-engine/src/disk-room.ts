import type { EngineEvent } from './api.ts';
import type { Disk } from './disk.ts';
import { EngineError } from './errors.ts';

/** After so many bytes, or so much time of appending, the disk is looked at again. */
const BYTES_BETWEEN_LOOKS = 4 * 1024 * 1024;
const MS_BETWEEN_LOOKS = 100;

/**
 * Watches, beside the appends, how much room the disk has. Below a reserve no more data is taken: so group offsets,
 * decisions and deletions, from which room comes, still have theirs. Between two looks it counts what is appended, so
 * that a fast writer cannot use up the reserve before anyone looks.
 */
export class DiskRoom {
  readonly #disk: Disk;
  readonly #dataDir: string;
  readonly #reserveBytes: number;
  readonly #clock: () => number;
  readonly #onEvent: (event: EngineEvent) => void;
  #looking: Promise<void> | undefined;
  #lookedAtMs = 0;
  /** What the last look saw; without an answer appends go on, and a disk that is really full still says so. */
  #freeBytes = Number.POSITIVE_INFINITY;
  #appendedBytes = 0;
  #hasToldLow = false;
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

  /** True while less than the reserve is free, by the last look and what was appended since. */
  get isLow(): boolean {
    return this.#freeBytes - this.#appendedBytes < this.#reserveBytes;
  }

  /** Something will be written; nobody waits for the look that this may bring about. */
  noteAppended(bytes: number): void {
    this.#appendedBytes += bytes;
    const isSoon = this.#appendedBytes < BYTES_BETWEEN_LOOKS && this.#clock() - this.#lookedAtMs < MS_BETWEEN_LOOKS;
    if (!isSoon || this.isLow) void this.look();
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
    void this.look();
    throw new EngineError(
      'disk-full',
      `the disk of ${this.#dataDir} has less than ${this.#reserveBytes} bytes left, which are kept for offsets and deletions`,
      { retry: true, mend: 'Make room on that disk, or delete topics or records: appending then goes on by itself.' },
    );
  }

  async #look(): Promise<void> {
    const appendedBefore = this.#appendedBytes;
    this.#lookedAtMs = this.#clock();
    try {
      this.#freeBytes = await this.#disk.freeBytes(this.#dataDir);
      this.#hasFailed = false;
    } catch (error) {
      this.#freeBytes = Number.POSITIVE_INFINITY;
      if (!this.#hasFailed) this.#tellUnknown(error);
      this.#hasFailed = true;
    }
    // What comes during the look may not be in its answer.
    this.#appendedBytes -= appendedBefore;
    this.#tell();
  }

  #tellUnknown(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `the room on the disk of ${this.#dataDir} is unknown: ${reason}`;
    this.#onEvent({ kind: 'maintenance-failed', detail });
  }

  /** Told is what a look saw, so what is told is true of the disk. */
  #tell(): void {
    const isLow = this.#freeBytes < this.#reserveBytes;
    if (isLow === this.#hasToldLow || !Number.isFinite(this.#freeBytes)) return;
    this.#hasToldLow = isLow;
    const detail = `${this.#freeBytes} bytes are free on the disk of ${this.#dataDir}, ${this.#reserveBytes} are the reserve`;
    if (isLow) {
      this.#onEvent({ kind: 'disk-low', detail: `${detail}: no data is taken`, mend: 'Make room on that disk.' });
    } else this.#onEvent({ kind: 'disk-roomy', detail: `${detail}: data is taken again` });
  }
}
