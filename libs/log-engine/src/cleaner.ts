import { setImmediate } from 'node:timers/promises';
import { CompactionRound } from './compaction.ts';
import type { LogStartRow } from './control-record.ts';
import { EngineError } from './errors.ts';
import { SealedSegment } from './sealed-segment.ts';
import type { Segment } from './segment.ts';
import type { BatchReading } from './segment-batches.ts';
import type { SegmentSet } from './segment-set.ts';
import type { SegmentWorth, WantingPartitions } from './segment-worth.ts';
import { type Carriage, writeSideSegment } from './side-segment.ts';

/** Of a segment that is worth no more than this part of its size, the rest is carried elsewhere. */
const MOSTLY_UNWANTED = 0.5;
/** A side segment is carried along again while it is smaller than so many times what comes to it. */
const GROWTH = 2;
/** The active segment is not ended for room while it holds less than one part in so many of a segment. */
const LEAST_WORTH_ENDING = 8;
/** Below this it is always carried along: so there are never many small ones. */
const SMALL_BYTES = 256 * 1024;

/** What the cleaner sees of a journal, and does to it. */
export interface CleanedJournal extends WantingPartitions {
  readonly segments: readonly Segment[];
  /** True when no more work may be begun. */
  readonly isEnding: boolean;
  /** Resolves when everything that was appended so far is durable. */
  durableSoFar(): Promise<void>;
  endActiveSegment(): Promise<void>;
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
  #plannedWith: { segments: readonly Segment[]; wantChanges: number } | undefined;

  constructor(journal: CleanedJournal, segments: SegmentSet, worth: SegmentWorth, clock: () => number) {
    this.#journal = journal;
    this.#segments = segments;
    this.#worth = worth;
    this.#clock = clock;
  }

  /**
   * One round.
   * @param isDiskLow only what surely gives back more room than it takes is done
   */
  async run(isDiskLow: boolean): Promise<void> {
    await this.#carryMostlyUnwanted();
    if (isDiskLow) return;
    await this.#compact(false);
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
      // What is not sealed yet, or can go whole, goes without the cleaner.
      if (oldest instanceof SealedSegment && this.#worth.of(oldest).keptBytes === 0) return;
      if (!(oldest instanceof SealedSegment)) {
        await this.#compact(true);
        if (!(await this.#endActive())) return;
        continue;
      }
      const starts: LogStartRow[] = [];
      for (const [partition, row] of this.#worth.wantedRows(oldest)) {
        if (!partition.policy.isCompacted) starts.push([partition.id, row.lastOffset + 1]);
      }
      await this.#journal.moveLogStarts(starts);
      await this.#carry(this.#withNeighbours(oldest));
    }
  }

  /** Ends the active segment where only from it room can come; false where that is not so, or would not be worth it. */
  async #endActive(): Promise<boolean> {
    const { active, isRefusing, segmentBytes } = this.#segments;
    const isWorthIt = active.appendedBytes * LEAST_WORTH_ENDING >= segmentBytes;
    const mayGiveRoom = [...active.index.lists.keys()].some(
      (id) => !this.#journal.partitions.get(id)?.policy.isCompacted,
    );
    if (!isRefusing || !isWorthIt || !mayGiveRoom || this.#journal.isEnding) return false;
    await this.#journal.endActiveSegment();
    return true;
  }

  /** @param isUrgent there is no other way to make room */
  async #compact(isUrgent: boolean): Promise<void> {
    const { partitions, segments } = this.#journal;
    if (!isUrgent && !this.#mayHaveChanged()) return;
    const round = CompactionRound.plan(partitions.values(), segments, this.#worth, this.#clock(), isUrgent);
    if (round === undefined || this.#journal.isEnding) return;
    await round.learn(this.#reading());
    for (const run of this.#runsOf(round.segments)) {
      if (!(await this.#carry(run, (batch) => round.remainsOf(batch)))) return;
    }
    round.finish();
  }

  /** Logs get dirtier by segments that are sealed; only those whose records must be of some age do so by time. */
  #mayHaveChanged(): boolean {
    const { partitions, segments, wantChanges } = this.#journal;
    const isSame = this.#plannedWith?.segments === segments && this.#plannedWith.wantChanges === wantChanges;
    this.#plannedWith = { segments, wantChanges };
    return (
      !isSame || [...partitions.values()].some(({ policy }) => policy.isCompacted && policy.minCompactionLagMs > 0)
    );
  }

  /** Neighbours whose remains make one segment. */
  #runsOf(segments: readonly SealedSegment[]): SealedSegment[][] {
    const { list, segmentBytes } = this.#segments;
    const runs: SealedSegment[][] = [];
    let bytes = 0;
    for (const segment of segments) {
      const { wantedBytes } = this.#worth.of(segment);
      const run = runs.at(-1);
      const follows = run !== undefined && list.indexOf(segment) === list.indexOf(run.at(-1)!) + 1;
      if (follows && bytes + wantedBytes <= segmentBytes) {
        run.push(segment);
        bytes += wantedBytes;
      } else {
        runs.push([segment]);
        bytes = wantedBytes;
      }
    }
    return runs;
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

  /** False where the quota took a part of the run meanwhile: then nothing was carried. */
  async #carry(run: readonly SealedSegment[], remainsOf: Carriage['remainsOf'] = whole): Promise<boolean> {
    const starts = new Map(run.map((segment) => [segment, this.#startsIn(segment)]));
    // A deletion that a crash undoes must not have taken anything away.
    await this.#journal.durableSoFar();
    try {
      const side = await writeSideSegment({
        ...this.#reading(),
        volumeId: this.#segments.volumeId,
        run,
        nowMs: this.#clock(),
        wantedFrom: (segment, partitionId) => starts.get(segment)!.get(partitionId),
        remainsOf,
      });
      this.#segments.replace(run, side);
      return true;
    } catch (error) {
      // The quota does not wait: what it took meanwhile cannot be read any more, and need not be.
      if (run.every((segment) => this.#journal.segments.includes(segment))) throw error;
      return false;
    }
  }

  /** Where the logs start that want something of a segment, by partition id. */
  #startsIn(segment: SealedSegment): Map<number, number> {
    const starts = new Map<number, number>();
    for (const [{ id, startOffset }] of this.#worth.wantedRows(segment)) starts.set(id, startOffset);
    return starts;
  }

  #reading(): Omit<BatchReading, 'wantedFrom'> {
    return {
      place: this.#segments.place,
      onDamaged: (segment, from, to) => this.#journal.reportDamage(segment, from, to),
      checkGoingOn: () => {
        if (this.#journal.isEnding) throw new EngineError('volume-stopped', 'the volume is closed while it is cleaned');
      },
    };
  }
}

const whole: Carriage['remainsOf'] = ({ bytes }) => bytes;

/** All batches of a segment, wanted or not. */
function heldBytesOf(segment: SealedSegment): number {
  let bytes = 0;
  for (const { batchBytes } of segment.index.directory.rows()) bytes += batchBytes;
  return bytes;
}
