import { setImmediate } from 'node:timers/promises';
import type { LogStartRow } from './control-record.ts';
import type { Partition } from './partition.ts';
import { SealedSegment } from './sealed-segment.ts';
import { ActiveSegment, type Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { SegmentWorth } from './segment-worth.ts';
import type { TopicPolicy } from './topic-settings.ts';

/** So many log starts are told by one record. */
const STARTS_PER_RECORD = 1000;
/** So many partitions are looked at before others have their turn. */
const PARTITIONS_PER_STEP = 256;

/** What retention sees of a journal, and does to it. */
export interface RetainedJournal {
  /** Oldest first; the array is replaced, never changed. */
  readonly segments: readonly Segment[];
  readonly partitions: ReadonlyMap<number, Partition>;
  /** True when no more work may be begun. */
  readonly isEnding: boolean;
  /** Resolves when everything that was appended so far is durable. */
  durableSoFar(): Promise<void>;
  moveLogStarts(starts: LogStartRow[]): Promise<void>;
  endActiveSegment(): Promise<void>;
}

/**
 * Lets go of what topics do not ask to be kept: moves logs' starts behind what is too old or too much, and removes
 * segments of which nothing is part of a log any more. Works in small steps beside the appends.
 */
export class Retention {
  readonly #journal: RetainedJournal;
  readonly #segments: SegmentSet;
  readonly #worth: SegmentWorth;
  readonly #clock: () => number;
  /** Segments of which nothing gets too old before that time, as long as policies stay. */
  readonly #restsUntilMs = new WeakMap<SealedSegment, number>();
  #policies: ReadonlySet<TopicPolicy> = new Set();
  /** The segments as they were when partitions were last cut down to their sizes. */
  #cutDownWith: readonly Segment[] | undefined;

  constructor(journal: RetainedJournal, segments: SegmentSet, worth: SegmentWorth, clock: () => number) {
    this.#journal = journal;
    this.#segments = segments;
    this.#worth = worth;
    this.#clock = clock;
  }

  /** One round. */
  async run(): Promise<void> {
    const policies = new Set([...this.#journal.partitions.values()].map(({ policy }) => policy));
    const havePoliciesChanged = !isSameSet(policies, this.#policies);
    this.#policies = policies;
    await this.#endActive();
    await this.#moveStarts([
      ...(await this.#tooOld(havePoliciesChanged)),
      ...(await this.#tooMuch(havePoliciesChanged)),
    ]);
    await this.#removeUnwanted();
  }

  /** Ends the active segment when all of it may go, or when it is older than a topic in it wants. */
  async #endActive(): Promise<void> {
    const active = this.#journal.segments.at(-1);
    if (!(active instanceof ActiveSegment) || active.index.lists.size === 0) return;
    const now = this.#clock();
    let mayAllGo = true;
    for (const id of active.index.lists.keys()) {
      const partition = this.#journal.partitions.get(id);
      if (partition === undefined) continue;
      if (active.createdAtMs + partition.policy.segmentMs <= now) return this.#journal.endActiveSegment();
      const isTooOld = active.lastAppendMs + partition.policy.retentionMs <= now;
      mayAllGo &&= isTooOld || partition.startOffset >= partition.endOffset;
    }
    if (mayAllGo) await this.#journal.endActiveSegment();
  }

  /** The starts of logs whose topics keep records only for a time. */
  async #tooOld(havePoliciesChanged: boolean): Promise<LogStartRow[]> {
    const now = this.#clock();
    let shortestMs = Number.POSITIVE_INFINITY;
    for (const { retentionMs } of this.#policies) shortestMs = Math.min(shortestMs, retentionMs);
    const starts: LogStartRow[] = [];
    for (const segment of this.#journal.segments) {
      if (!(segment instanceof SealedSegment) || segment.appendedUntilMs + shortestMs > now) continue;
      if (!havePoliciesChanged && (this.#restsUntilMs.get(segment) ?? 0) > now) continue;
      let restsUntilMs = Number.POSITIVE_INFINITY;
      for (const [partition, row] of this.#worth.wantedRows(segment)) {
        const dueMs = segment.appendedUntilMs + partition.policy.retentionMs;
        if (dueMs <= now) starts.push([partition.id, row.lastOffset + 1]);
        else restsUntilMs = Math.min(restsUntilMs, dueMs);
      }
      this.#restsUntilMs.set(segment, restsUntilMs);
      await setImmediate();
    }
    return starts;
  }

  /** The starts of logs whose topics keep only so many bytes of a partition: as many whole segments' as reach them. */
  async #tooMuch(havePoliciesChanged: boolean): Promise<LogStartRow[]> {
    const { segments } = this.#journal;
    if (segments === this.#cutDownWith && !havePoliciesChanged) return [];
    this.#cutDownWith = segments;
    const starts: LogStartRow[] = [];
    let looked = 0;
    for (const partition of this.#journal.partitions.values()) {
      if (partition.sizeBytes <= partition.policy.retentionBytes) continue;
      const startOffset = startOfLast(partition, segments);
      if (startOffset > partition.startOffset) starts.push([partition.id, startOffset]);
      if (++looked % PARTITIONS_PER_STEP === 0) await setImmediate();
    }
    return starts;
  }

  async #moveStarts(starts: LogStartRow[]): Promise<void> {
    for (let i = 0; i < starts.length && !this.#journal.isEnding; i += STARTS_PER_RECORD) {
      await this.#journal.moveLogStarts(starts.slice(i, i + STARTS_PER_RECORD));
    }
  }

  async #removeUnwanted(): Promise<void> {
    const unwanted: SealedSegment[] = [];
    for (const segment of this.#journal.segments) {
      if (!(segment instanceof SealedSegment)) continue;
      if (this.#worth.of(segment).wantedBytes === 0) unwanted.push(segment);
      await setImmediate();
    }
    if (unwanted.length === 0 || this.#journal.isEnding) return;
    // A deletion that a crash undoes must not have taken anything away.
    await this.#journal.durableSoFar();
    for (const segment of unwanted) this.#segments.remove(segment, 'nothing of it is part of a log any more');
  }
}

/** Where a partition's log starts when it gives up what its newest segments hold without. */
function startOfLast(partition: Partition, segments: readonly Segment[]): number {
  let keptBytes = 0;
  for (const segment of [...segments].reverse()) {
    const row = segment.index.summary(partition.id);
    if (row === undefined) continue;
    if (row.lastOffset < partition.startOffset) break;
    if (keptBytes >= partition.policy.retentionBytes) return Math.min(row.lastOffset + 1, partition.visibleOffset);
    keptBytes += row.batchBytes;
  }
  return partition.startOffset;
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}
