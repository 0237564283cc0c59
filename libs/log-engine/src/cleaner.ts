import { setImmediate } from 'node:timers/promises';
import type { LogStartRow } from './control-record.ts';
import { EngineError } from './errors.ts';
import type { Partition } from './partition.ts';
import { SealedSegment } from './sealed-segment.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { SegmentWorth, WantingPartitions } from './segment-worth.ts';
import { writeSideSegment } from './side-segment.ts';

/** Of a segment that is worth no more than this part of its size, the rest is carried elsewhere. */
const MOSTLY_UNWANTED = 0.5;
/** A side segment is carried along again while it is smaller than so many times what comes to it. */
const GROWTH = 2;
/** Below this it is always carried along: so there are never many small ones. */
const SMALL_BYTES = 256 * 1024;

/** What the cleaner sees of a journal, and does to it. */
export interface CleanedJournal extends WantingPartitions {
  readonly segments: readonly Segment[];
  /** True when no more work may be begun. */
  readonly isEnding: boolean;
  /** Resolves when everything that was appended so far is durable. */
  durableSoFar(): Promise<void>;
  moveLogStarts(starts: LogStartRow[]): Promise<void>;
  reportDamage(segment: Segment, from: number, to: number): void;
}

/**
 * Gives room back that is held by segments of which only a part is wanted: carries that part into side segments, a
 * bounded step at a time, beside the appends.
 */
export class Cleaner {
  readonly #journal: CleanedJournal;
  readonly #segments: SegmentSet;
  readonly #worth: SegmentWorth;
  readonly #clock: () => number;

  constructor(journal: CleanedJournal, segments: SegmentSet, worth: SegmentWorth, clock: () => number) {
    this.#journal = journal;
    this.#segments = segments;
    this.#worth = worth;
    this.#clock = clock;
  }

  /** One round. */
  async run(): Promise<void> {
    await this.#carryMostlyUnwanted();
    await this.#carryForQuota();
  }

  async #carryMostlyUnwanted(): Promise<void> {
    for (const segment of this.#journal.segments) {
      if (this.#journal.isEnding) return;
      if (!(segment instanceof SealedSegment) || !this.#journal.segments.includes(segment)) continue;
      const { wantedBytes } = this.#worth.of(segment);
      // Wholly unwanted ones are removed without being read.
      if (wantedBytes > 0 && wantedBytes <= MOSTLY_UNWANTED * segment.sizeBytes) {
        await this.#carry(this.#withNeighbours(segment));
      }
      await setImmediate();
    }
  }

  /**
   * Before the quota asks for the oldest segment: carries what compacted logs have in it elsewhere. All else in it goes,
   * as it does in segments that the quota takes away whole.
   */
  async #carryForQuota(): Promise<void> {
    while (!this.#journal.isEnding && this.#segments.roomBytes < this.#segments.segmentBytes) {
      const oldest = this.#journal.segments.find((segment) => this.#holdsWhatMayGo(segment));
      if (!(oldest instanceof SealedSegment) || this.#worth.of(oldest).keptBytes === 0) return;
      const starts: LogStartRow[] = [];
      for (const [partition, row] of this.#worth.wantedRows(oldest)) {
        if (!partition.policy.isCompacted) starts.push([partition.id, row.lastOffset + 1]);
      }
      await this.#journal.moveLogStarts(starts);
      await this.#carry(this.#withNeighbours(oldest));
    }
  }

  #holdsWhatMayGo(segment: Segment): boolean {
    if (!(segment instanceof SealedSegment) || segment.generation === 0) return true;
    return this.#worth.of(segment).keptBytes < heldBytesOf(segment);
  }

  /** A segment that is to be carried, together with the side segments before it that have not grown large yet. */
  #withNeighbours(segment: SealedSegment): SealedSegment[] {
    const { segments } = this.#journal;
    const run = [segment];
    let bytes = this.#worth.of(segment).wantedBytes;
    for (let i = segments.indexOf(segment) - 1; i >= 0; i--) {
      const before = segments[i];
      if (!(before instanceof SealedSegment) || before.generation === 0) break;
      const moreBytes = this.#worth.of(before).wantedBytes;
      if (moreBytes > Math.max(bytes * GROWTH, SMALL_BYTES) || bytes + moreBytes > this.#segments.segmentBytes) break;
      run.unshift(before);
      bytes += moreBytes;
    }
    return run;
  }

  async #carry(run: readonly SealedSegment[]): Promise<void> {
    // A deletion that a crash undoes must not have taken anything away.
    await this.#journal.durableSoFar();
    await this.#segments.whileCarried(run, async () => {
      const wanted = new Map(run.map((segment) => [segment, this.#wantedPartitions(segment)]));
      const side = await writeSideSegment({
        place: this.#segments.place,
        volumeId: this.#segments.volumeId,
        run,
        nowMs: this.#clock(),
        isWanted: (segment, partitionId) => wanted.get(segment)!.has(partitionId),
        remainsOf: ({ bytes }) => bytes,
        onDamaged: (segment, from, to) => this.#journal.reportDamage(segment, from, to),
        checkGoingOn: () => this.#checkGoingOn(),
      });
      if (side !== undefined) this.#segments.replace(run, side);
      else for (const segment of run) this.#segments.remove(segment, 'nothing of it is left');
    });
  }

  #wantedPartitions(segment: SealedSegment): Map<number, Partition> {
    const partitions = new Map<number, Partition>();
    for (const [partition] of this.#worth.wantedRows(segment)) partitions.set(partition.id, partition);
    return partitions;
  }

  #checkGoingOn(): void {
    if (this.#journal.isEnding) throw new EngineError('volume-stopped', 'the volume is closed while it is cleaned');
  }
}

/** All batches of a segment, wanted or not. */
function heldBytesOf(segment: SealedSegment): number {
  let bytes = 0;
  for (const { batchBytes } of segment.index.directory.rows()) bytes += batchBytes;
  return bytes;
}
