import { type CleanedJournal, Cleaner } from './cleaner.ts';
import type { DiskRoom } from './disk-room.ts';
import type { EngineContext } from './journal-context.ts';
import { type RetainedJournal, Retention } from './retention.ts';
import type { SegmentSet } from './segment-set.ts';
import { SegmentWorth } from './segment-worth.ts';

/** What is done to a journal beside its appends, one round at a time. */
export class Upkeep {
  /** What of each segment is still wanted. */
  readonly worth: SegmentWorth;
  readonly #journal: RetainedJournal & CleanedJournal;
  readonly #segments: SegmentSet;
  readonly #diskRoom: DiskRoom;
  readonly #retention: Retention;
  readonly #cleaner: Cleaner;
  readonly #onFailed: (reason: string) => void;
  readonly #wakes: boolean;
  #isWoken = false;
  #madeNoRoomWith: Pick<CleanedJournal, 'segments' | 'wantChanges'> | undefined;
  #rounds: Promise<void> = Promise.resolve();
  #lastFailure: string | undefined;

  /** @param onFailed told why a round failed, unless the one before failed for the same reason */
  constructor(
    journal: RetainedJournal & CleanedJournal,
    segments: SegmentSet,
    { clock, maintenanceIntervalMs, diskRoom }: EngineContext,
    onFailed: (reason: string) => void,
  ) {
    this.worth = new SegmentWorth(journal);
    this.#journal = journal;
    this.#segments = segments;
    this.#diskRoom = diskRoom;
    this.#wakes = maintenanceIntervalMs > 0;
    this.#retention = new Retention(journal, segments, this.worth, clock);
    this.#cleaner = new Cleaner(journal, segments, this.worth, clock);
    this.#onFailed = onFailed;
  }

  /** A whole round, begun now or after the one that is under way. */
  run(): Promise<void> {
    this.#rounds = this.#rounds.then(() => this.#round());
    return this.#rounds;
  }

  /** False after a round that could make no room, as long as nothing changes. */
  get mayMakeRoom(): boolean {
    const { segments, wantChanges } = this.#journal;
    return this.#madeNoRoomWith?.segments !== segments || this.#madeNoRoomWith.wantChanges !== wantChanges;
  }

  /** Lets a round begin soon, unless rounds are only begun by hand. */
  wake(): void {
    if (!this.#wakes || this.#isWoken) return;
    this.#isWoken = true;
    void this.run();
  }

  /** Resolves when no round is under way. */
  idle(): Promise<void> {
    return this.#rounds;
  }

  async #round(): Promise<void> {
    this.#isWoken = false;
    if (this.#journal.isEnding) return;
    try {
      await this.#retention.run();
      await this.#cleaner.run(this.#diskRoom.isLow);
      const { segments, wantChanges } = this.#journal;
      this.#madeNoRoomWith = this.#segments.isRefusing ? { segments, wantChanges } : undefined;
      this.#lastFailure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // A journal that ends interrupts its upkeep; that is no failure.
      if (!this.#journal.isEnding && reason !== this.#lastFailure) this.#onFailed(reason);
      this.#lastFailure = reason;
    }
  }
}
