import { createDurably, type Disk } from './disk.ts';
import type { EngineError } from './errors.ts';
import { Group } from './group.ts';
import { type ActiveSegment, SEGMENT_ENDING, segmentBaseName } from './segment.ts';

/** What nobody waits for to be durable is synced this much later, together with all that was written meanwhile. */
const UNHURRIED_SYNC_MS = 20;

export interface GroupCommitEvents {
  /** Whether anybody waits for the group to be durable. */
  isHurried(group: Group): boolean;
  onWritten(group: Group): void;
  onSynced(group: Group): void;
  /** The segment is complete, written and synced, and the next one is in place. */
  onRolled(segment: ActiveSegment): void;
  /** A write or sync failed; nothing was retried and nothing more will be written. */
  onFailed(cause: unknown): EngineError;
}

/**
 * Writes groups of appends in order. While one is being written the next one gathers; while one is being synced the
 * next ones are written, and the sync after that covers them all.
 *
 * What a crash leaves is always a prefix: a segment's first byte is written only when the one before is synced whole.
 */
export class GroupCommit {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #events: GroupCommitEvents;
  #gathering: Group[] = [];
  #underWrite: Group | undefined;
  #unsynced: Group[] = [];
  /** Somebody waits for a group among those to be synced. */
  #isHurried = false;
  #underSync: Group[] = [];
  #segment: ActiveSegment;
  /** Up to which position of the segment everything is written. */
  #writtenTo = 0;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  /** Until what was written, and nobody waits for, is synced. */
  #unhurried: NodeJS.Timeout | undefined;
  #failure: EngineError | undefined;
  /** Bytes appended that no write has taken to the disk yet. */
  unwrittenBytes = 0;

  constructor(disk: Disk, folder: string, segment: ActiveSegment, events: GroupCommitEvents) {
    this.#disk = disk;
    this.#folder = folder;
    this.#segment = segment;
    this.#events = events;
  }

  /** The group that takes what is appended to `segment` now; `frameBytes` of it are there already. */
  gather(segment: ActiveSegment, frameBytes: number): Group {
    let group = this.#gathering.at(-1);
    if (group?.segment !== segment) {
      group = new Group(segment);
      this.#gathering.push(group);
    }
    group.bytes += frameBytes;
    this.unwrittenBytes += frameBytes;
    this.#writing ??= Promise.resolve()
      .then(() => this.#writeAll())
      .catch((error) => {
        this.#writing = undefined;
        this.#fail(error);
      });
    return group;
  }

  /** Resolves when everything gathered so far is synced, or has failed. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined || this.#syncing !== undefined || this.#unhurried !== undefined) {
      await this.#writing;
      await this.#syncWritten();
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#gathering.length > 0 && this.#failure === undefined) {
      const group = this.#gathering[0]!;
      if (group.segment === this.#segment) await this.#write(group);
      else await this.#roll(group);
    }
    this.#writing = undefined;
  }

  async #write(group: Group): Promise<void> {
    const { segment } = group;
    // From here on, appends gather in the next group: this one is what lies in memory now.
    this.#gathering.shift();
    this.#underWrite = group;
    const { buffers, position } = segment.tail.takeUnwritten();
    const writtenTo = segment.sizeBytes;
    if (segment.file === undefined) {
      const name = segmentBaseName(segment) + SEGMENT_ENDING;
      segment.file = await createDurably(this.#disk, this.#folder, name, buffers);
      segment.syncedTo = writtenTo;
    } else {
      await segment.file.write(buffers, position);
    }
    segment.tail.markWritten(writtenTo);
    this.#writtenTo = writtenTo;
    this.#underWrite = undefined;
    if (this.#failure !== undefined) return group.fail(this.#failure);
    this.unwrittenBytes -= group.bytes;
    this.#unsynced.push(group);
    this.#isHurried ||= this.#events.isHurried(group);
    this.#syncInTime();
    this.#events.onWritten(group);
  }

  async #roll(first: Group): Promise<void> {
    await this.#syncWritten();
    if (this.#failure !== undefined) return;
    const complete = this.#segment;
    await complete.file?.close();
    complete.file = undefined;
    this.#segment = first.segment;
    await this.#write(first);
    if (this.#failure !== undefined) return;
    this.#events.onRolled(complete);
  }

  async #syncWritten(): Promise<void> {
    while (this.#unsynced.length > 0 || this.#syncing !== undefined) {
      this.#syncNow();
      await this.#syncing;
    }
  }

  #syncInTime(): void {
    if (this.#syncing !== undefined) return;
    if (this.#isHurried) this.#syncNow();
    else this.#unhurried ??= setTimeout(() => this.#syncNow(), UNHURRIED_SYNC_MS);
  }

  #syncNow(): void {
    clearTimeout(this.#unhurried);
    this.#unhurried = undefined;
    if (this.#unsynced.length === 0) return;
    this.#syncing ??= this.#sync()
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#syncing = undefined;
        if (this.#unsynced.length > 0) this.#syncInTime();
      });
  }

  async #sync(): Promise<void> {
    const groups = this.#unsynced;
    this.#unsynced = [];
    this.#isHurried = false;
    this.#underSync = groups;
    const { segment } = groups[0]!;
    const syncedTo = this.#writtenTo;
    await segment.file!.sync();
    segment.syncedTo = syncedTo;
    this.#underSync = [];
    for (const group of groups) this.#events.onSynced(group);
  }

  /** After a failed sync the system may call the lost pages clean: a second try would lie. So everything ends here. */
  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const failure = this.#events.onFailed(cause);
    this.#failure = failure;
    clearTimeout(this.#unhurried);
    this.#unhurried = undefined;
    const groups = [...this.#underSync, ...this.#unsynced, this.#underWrite, ...this.#gathering];
    this.#underSync = [];
    this.#unsynced = [];
    this.#gathering = [];
    for (const group of groups) {
      // No write will come for what still lies in memory: it must not hold up the cache that all volumes share.
      group?.segment.tail.giveUp();
      group?.fail(failure);
    }
  }
}
