import { EngineError } from './errors.ts';
import type { EngineContext } from './journal-context.ts';
import { SEGMENTS_PER_QUOTA, type SegmentSet } from './segment-set.ts';
import type { Upkeep } from './upkeep.ts';

/** Whether a volume has room for what is to be appended: by its quota, and on its disk. */
export class JournalRoom {
  readonly #volume: string;
  readonly #context: EngineContext;
  readonly #segments: SegmentSet;
  readonly #upkeep: Upkeep;

  constructor(volume: string, context: EngineContext, segments: SegmentSet, upkeep: Upkeep) {
    this.#volume = volume;
    this.#context = context;
    this.#segments = segments;
    this.#upkeep = upkeep;
  }

  /** @throws EngineError `volume-full` where so much at once could never fit */
  checkSize(sizeBytes: number): void {
    const { volumeQuotaBytes } = this.#context;
    const limit = Math.floor(volumeQuotaBytes / SEGMENTS_PER_QUOTA);
    if (sizeBytes <= limit) return;
    throw new EngineError(
      'volume-full',
      `${sizeBytes} bytes at once do not fit volume ${this.#volume}: its quota of ` +
        `${volumeQuotaBytes} bytes allows ${limit}`,
    );
  }

  /**
   * True where room for data comes at once, with the sealing of a segment that ended.
   * @throws EngineError `volume-full`, `disk-full`
   */
  comesWithSealing(bytes: number): boolean {
    this.#context.diskRoom.check();
    if (!this.#segments.lacksRoomFor(bytes)) return false;
    if (this.#segments.isSealing) return true;
    const { mayMakeRoom } = this.#upkeep;
    this.#upkeep.wake();
    throw volumeIsFull(this.#volume, this.#context.volumeQuotaBytes, mayMakeRoom);
  }
}

function volumeIsFull(volume: string, quotaBytes: number, mayMakeRoom: boolean): EngineError {
  const message = `volume ${volume} has reached its quota of ${quotaBytes} bytes`;
  return mayMakeRoom
    ? new EngineError('volume-full', `${message}; room is being made`, {
        retry: true,
        mend: 'Send it again a moment later.',
      })
    : new EngineError('volume-full', `${message}, and nothing of it may go: its topics are compacted`, {
        mend: "Raise the volume's quota, delete topics or records, or let the topics' cleanup.policy say delete.",
      });
}
