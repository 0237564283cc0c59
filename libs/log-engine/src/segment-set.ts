import { join } from 'node:path';
import type { EngineEvent } from './api.ts';
import { MARK_BYTES } from './frame.ts';
import type { EngineContext } from './journal-context.ts';
import type { Checkpoint } from './journal-state.ts';
import { type JournalFolder, openSealed, SealedSegment, writeIndex } from './sealed-segment.ts';
import {
  ActiveSegment,
  INDEX_ENDING,
  SEGMENT_ENDING,
  type Segment,
  type SegmentName,
  segmentBaseName,
} from './segment.ts';
import { SegmentTail } from './tail-cache.ts';

/** Positions count in 32 bits, and recovery reads the last segment whole. */
const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;
/** A quota must hold several segments, for only whole ones can be removed. */
export const SEGMENTS_PER_QUOTA = 4;

/** What a set of segments asks of its journal, and tells it. */
export interface SegmentSetOwner {
  /** What the next segment opens with: all that the frames after it cannot tell. */
  checkpoint(): Checkpoint;
  /** Retention took a segment's records away. */
  onRemoved(segment: SealedSegment): void;
  /** What the logs had in some segments, they have in one now. */
  onCarried(run: readonly SealedSegment[], into: SealedSegment): void;
  /** A segment is sealed, and may be removed from now on. */
  onSealed(): void;
  /** The quota leaves less room than the segment that has just begun may take. */
  onScarce(): void;
  /** Resolves when it is durable that logs which have a part in older segments start behind what is in this one. */
  skipTo(segment: SealedSegment, older: readonly Segment[]): Promise<void> | undefined;
  /** False where a log wants to keep some of it for good, so that it has to be carried first. */
  mayRemove(segment: SealedSegment): boolean;
  /** Work on the files, beside the appends, failed. */
  onFailed(cause: unknown): void;
  tell(kind: EngineEvent['kind'], detail: string): void;
}

/** The segments that a set begins with. */
export interface SegmentSetStart {
  folder: string;
  volumeId: Buffer;
  sealed: SealedSegment[];
  /** Undefined where the first segment is yet to be begun. */
  active: ActiveSegment | undefined;
  nextSegmentNumber: number;
}

/** The files of one journal, oldest first: begins, seals and removes them, and knows what they take of the disk. */
export class SegmentSet {
  readonly folder: string;
  readonly volumeId: Buffer;
  /** The array is replaced, never changed: who reads it has a stable view. */
  list: readonly (ActiveSegment | SealedSegment)[];
  /** The one that is appended to. */
  active: ActiveSegment;
  /** Bytes of all segments and indexes. */
  diskBytes: number;

  readonly #context: EngineContext;
  readonly #owner: SegmentSetOwner;
  /** True after there was no room for data that came. */
  isRefusing = false;
  /** When a segment has grown to so much, the next one begins. */
  readonly segmentBytes: number;
  /** Cuts whose segments may not be taken from the disk yet, and those that would have been. */
  #heldCuts = 0;
  #heldSegments: { segment: SealedSegment; why: string }[] = [];
  /** Until segments that were taken out of the middle may leave the disk. */
  readonly #leaving = new Set<Promise<void>>();
  #background: Promise<void> = Promise.resolve();

  constructor(context: EngineContext, start: SegmentSetStart, owner: SegmentSetOwner) {
    this.#context = context;
    this.#owner = owner;
    this.folder = start.folder;
    this.volumeId = start.volumeId;
    this.segmentBytes = Math.min(
      context.segmentBytes,
      Math.floor(context.volumeQuotaBytes / SEGMENTS_PER_QUOTA),
      MAX_SEGMENT_BYTES,
    );
    this.active = start.active ?? this.#begin(start.nextSegmentNumber);
    this.list = [...start.sealed, this.active];
    this.diskBytes = this.list.reduce((sum, segment) => sum + segment.sizeBytes + segment.indexBytes, 0);
  }

  /** What the quota leaves. */
  get roomBytes(): number {
    return this.#context.volumeQuotaBytes - this.diskBytes;
  }

  /** Where its files lie. */
  get place(): JournalFolder {
    return { disk: this.#context.disk, folder: this.folder, indexCache: this.#context.indexCache };
  }

  path(segment: SegmentName): string {
    return join(this.folder, segmentBaseName(segment) + SEGMENT_ENDING);
  }

  /** Begins a new segment where the active one is full, and lets old ones go where the quota asks for it. */
  makeRoom(frameBytes: number): void {
    const { appendedBytes, checkpointBytes } = this.active;
    // A checkpoint never takes more than half of a segment, however small segments are set.
    if (appendedBytes >= Math.max(this.segmentBytes - checkpointBytes, checkpointBytes)) {
      this.beginNext();
      if (this.roomBytes < this.segmentBytes) this.#owner.onScarce();
    }
    this.keepQuota(frameBytes + (this.active.markIsDue ? MARK_BYTES : 0));
  }

  /** Ends the active segment and begins the next one, in memory. */
  beginNext(): void {
    this.active = this.#begin(this.active.number + 1);
    this.diskBytes += this.active.sizeBytes;
    this.list = [...this.list, this.active];
  }

  /** Removes the oldest segments until the volume, and what is about to come, fits its quota. */
  keepQuota(incomingBytes = 0): void {
    while (this.diskBytes + incomingBytes > this.#context.volumeQuotaBytes && this.#removeOldest()) {
      // Each round removes one.
    }
  }

  /** True where the quota has no room for so much more data, and nothing that it may take away at once. */
  lacksRoomFor(bytes: number): boolean {
    if (bytes > this.roomBytes) this.keepQuota(bytes);
    this.isRefusing = bytes > this.roomBytes;
    return this.isRefusing;
  }

  /** True while a segment that ended is not sealed yet, before which nothing can be said of its room. */
  get isSealing(): boolean {
    return this.list.some((segment) => segment !== this.active && segment instanceof ActiveSegment);
  }

  /**
   * Takes a segment that nobody wants away, wherever it stands.
   * @param mayLeave when its files may be taken from the disk; where that fails they stay
   */
  remove(segment: SealedSegment, why: string, mayLeave?: Promise<void>): void {
    if (!this.list.includes(segment)) return;
    this.list = this.list.filter((other) => other !== segment);
    this.diskBytes -= segment.sizeBytes + segment.indexBytes;
    this.#owner.onRemoved(segment);
    if (mayLeave === undefined) this.#letGo(segment, why);
    else this.#letGoAfter(mayLeave, segment, why);
  }

  /** Puts a side segment in the place of those whose remains it carries; the quota may have taken some of them meanwhile. */
  replace(run: readonly SealedSegment[], side: SealedSegment): void {
    const present = run.filter((segment) => this.list.includes(segment));
    const last = present.at(-1);
    if (last === undefined) {
      this.#letGo(side, 'the quota has taken what it carries');
      return;
    }
    this.list = this.list.flatMap((segment) => {
      if (segment === last) return [side];
      return present.includes(segment as SealedSegment) ? [] : [segment];
    });
    this.diskBytes += side.sizeBytes + side.indexBytes;
    for (const segment of present) this.diskBytes -= segment.sizeBytes + segment.indexBytes;
    this.#owner.onCarried(present, side);
    for (const segment of present) this.#letGo(segment, `what is left of it was carried into ${segmentBaseName(side)}`);
  }

  /** Puts the index of a complete segment in place, beside the appends that go on. */
  seal(segment: ActiveSegment): void {
    this.#inBackground(async () => {
      const { place } = this;
      const identity = {
        volumeId: this.volumeId,
        segmentNumber: segment.number,
        generation: segment.generation,
        segmentBytes: segment.sizeBytes,
        segmentHeaderCrc: segment.headerCrc,
      };
      await writeIndex(place, identity, segment.index);
      const sealed = await openSealed(place, identity, { appendedUntilMs: segment.lastAppendMs, tail: segment.tail });
      if (sealed === undefined) throw new Error(`the index just written for segment ${segment.number} cannot be read`);
      this.list = this.list.map((other) => (other === segment ? sealed : other));
      this.diskBytes += sealed.indexBytes;
      segment.sealing.resolve();
      this.#owner.tell('segment-sealed', `segment ${segment.number}, ${segment.sizeBytes} bytes`);
      this.keepQuota();
      this.#owner.onSealed();
    });
  }

  /** Segments that are not sealed yet will never be. */
  failSealing(error: unknown): void {
    for (const segment of this.list) if (segment instanceof ActiveSegment) segment.sealing.reject(error);
  }

  /** Keeps every file on the disk until `releaseFiles` was called as often. */
  holdFiles(): void {
    this.#heldCuts++;
  }

  releaseFiles(): void {
    if (--this.#heldCuts > 0) return;
    for (const { segment, why } of this.#heldSegments.splice(0)) this.#removeFiles(segment, why);
  }

  /** Resolves when the work beside the appends is done. */
  async idle(): Promise<void> {
    for (let seen: Promise<void> | undefined; seen !== this.#background || this.#leaving.size > 0; await seen) {
      seen = this.#background;
      await Promise.allSettled(this.#leaving);
    }
  }

  async closeFiles(): Promise<void> {
    for (const segment of this.list) if (segment instanceof ActiveSegment) await segment.file?.close();
  }

  /** Lets go of all that it keeps in memory and of open files. */
  forgetInMemory(): void {
    for (const segment of this.list) this.#forgetInMemory(segment);
  }

  #begin(segmentNumber: number): ActiveSegment {
    const identity = { volumeId: this.volumeId, segmentNumber, createdAtMs: this.#context.clock() };
    const checkpoint = JSON.stringify(this.#owner.checkpoint());
    return ActiveSegment.begin(identity, checkpoint, new SegmentTail(this.#context.tailCache, 0));
  }

  #removeOldest(): boolean {
    const oldest = this.list.find((segment) => this.#isForQuota(segment));
    if (!(oldest instanceof SealedSegment)) return false;
    const older = this.list.slice(0, this.list.indexOf(oldest));
    this.remove(oldest, "for the volume's quota", this.#owner.skipTo(oldest, older));
    return true;
  }

  #isForQuota(segment: Segment): boolean {
    // What is not sealed yet will be at once; nothing newer goes before it.
    if (!(segment instanceof SealedSegment)) return true;
    return this.#owner.mayRemove(segment);
  }

  #letGoAfter(mayLeave: Promise<void>, segment: SealedSegment, why: string): void {
    const leaving = mayLeave
      // A journal that has stopped opens again with the segment, as if it had not been removed.
      .then(
        () => this.#letGo(segment, why),
        () => this.#forgetInMemory(segment),
      )
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #letGo(segment: SealedSegment, why: string): void {
    this.#forgetInMemory(segment);
    if (this.#heldCuts > 0) this.#heldSegments.push({ segment, why });
    else this.#removeFiles(segment, why);
  }

  #removeFiles(segment: SealedSegment, why: string): void {
    this.#inBackground(async () => {
      const path = this.path(segment);
      // The segment first: an index without its segment is known as a left-over, the other way round it would be rebuilt.
      await this.#context.disk.remove(path);
      await this.#context.disk.remove(join(this.folder, segmentBaseName(segment) + INDEX_ENDING));
      // Nothing comes back in another order than it went.
      await this.#context.disk.syncFolder(this.folder);
      this.#context.openFiles.forget(path);
      this.#owner.tell('segment-removed', `segment ${segment.number}, ${segment.sizeBytes} bytes, ${why}`);
    });
  }

  #forgetInMemory(segment: Segment): void {
    if (segment.tail !== undefined) this.#context.tailCache.forget(segment.tail);
    if (segment instanceof SealedSegment) segment.index.forget();
    this.#context.openFiles.forget(this.path(segment));
  }

  #inBackground(work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((cause) => {
      this.#owner.onFailed(cause);
    });
  }
}
