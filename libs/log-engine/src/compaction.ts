/**
 * Compaction of logs that keep the last value of a key. A round first learns the last offset of each key that was
 * written since the round before, then passes over all older batches, oldest first, and leaves out what a later record
 * of the same key replaces. Offsets stay what they were. The last batch of a log always stays whole, so that a reader
 * gets to the log's end.
 */
import {
  batchBaseOffset,
  batchIsControl,
  batchIsTransactional,
  batchLastOffsetDelta,
  batchProducerId,
} from './batch-header.ts';
import { recordPlaces, withOnly } from './compacted-batch.ts';
import { markerOutcome } from './control-batch.ts';
import type { Partition } from './partition.ts';
import { abortedWithin } from './partition-transactions.ts';
import { SealedSegment } from './sealed-segment.ts';
import type { Segment } from './segment.ts';
import { type BatchReading, forEachBatch, type StoredBatch } from './segment-batches.ts';
import type { SegmentWorth } from './segment-worth.ts';

/** So many keys are remembered at a time; the round ends where there would be more. */
const KEYS_PER_ROUND = 1_000_000;
/** Reading and writing so many times what may be saved is not worth it: other topics' records lie between. */
const MOST_WORK = 8;

/** A log in a round. */
interface CompactedLog {
  partition: Partition;
  /** The round leaves records from here on alone. */
  endOffset: number;
  dirtyBytes: number;
  /** Of each key that was written since the last round, the offset of its last record. */
  readonly lastOffsets: Map<string, number>;
  /** True after a batch that could not be looked into: it may hold what a deletion was meant for. */
  isOpaque: boolean;
}

/** One round of compaction over the logs of a journal. */
export class CompactionRound {
  /** The segments that hold something of its logs, oldest first. */
  readonly segments: readonly SealedSegment[];
  readonly #logs: ReadonlyMap<number, CompactedLog>;
  readonly #nowMs: number;

  private constructor(logs: CompactedLog[], segments: SealedSegment[], nowMs: number) {
    this.#logs = new Map(logs.map((log) => [log.partition.id, log]));
    this.segments = segments;
    this.#nowMs = nowMs;
  }

  /**
   * The next round; undefined where none is worth its work.
   * @param isUrgent there is no other way to make room: whatever could be saved is worth it
   */
  static plan(
    partitions: Iterable<Partition>,
    segments: readonly Segment[],
    worth: SegmentWorth,
    nowMs: number,
    isUrgent: boolean,
  ): CompactionRound | undefined {
    const logs = [...partitions]
      .filter(({ policy }) => policy.isCompacted)
      .map((partition) => compactable(partition, segments, nowMs, isUrgent))
      .filter((log) => log !== undefined);
    const touched = segments.filter(
      (segment): segment is SealedSegment =>
        segment instanceof SealedSegment &&
        logs.some(({ partition, endOffset }) => (segment.index.firstOffset(partition.id) ?? endOffset) < endOffset),
    );
    const dirtyBytes = logs.reduce((sum, log) => sum + log.dirtyBytes, 0);
    const workBytes = touched.reduce((sum, segment) => sum + worth.of(segment).wantedBytes, 0);
    if (touched.length === 0 || (!isUrgent && workBytes > MOST_WORK * dirtyBytes)) return undefined;
    return new CompactionRound(logs, touched, nowMs);
  }

  /** Learns the last record of each key. To be called first. */
  async learn(reading: Omit<BatchReading, 'wantedFrom'>, keysPerRound = KEYS_PER_ROUND): Promise<void> {
    let keys = 0;
    const reached = new Map<CompactedLog, number>();
    for (const segment of this.segments) {
      const wantedFrom = (_: SealedSegment, id: number): number | undefined => this.#dirtyFrom(segment, id);
      await forEachBatch({ ...reading, wantedFrom }, segment, ({ partitionId, bytes }) => {
        const log = this.#logs.get(partitionId)!;
        const [baseOffset, lastOffset] = offsetsOf(bytes);
        if (baseOffset >= log.endOffset || keys >= keysPerRound) return;
        keys += learnKeys(log, bytes);
        reached.set(log, lastOffset + 1);
      });
    }
    if (keys < keysPerRound) return;
    for (const log of this.#logs.values()) {
      log.endOffset = Math.min(log.endOffset, reached.get(log) ?? log.partition.compactedUntil);
    }
  }

  /** What the round leaves of a batch. Batches are to come in the order of their offsets. */
  remainsOf({ partitionId, bytes, appendTimeMs }: StoredBatch): Promise<Buffer | undefined> | Buffer | undefined {
    const log = this.#logs.get(partitionId);
    if (log === undefined) return bytes;
    const { partition, endOffset, lastOffsets } = log;
    const [baseOffset, lastOffset] = offsetsOf(bytes);
    if (lastOffset >= endOffset || lastOffset === partition.endOffset - 1) return bytes;
    // Who reads committed records only needs the marker of an aborted transaction, not that of a committed one.
    if (batchIsControl(bytes, 0)) return markerOutcome(bytes, 0) === 'abort' ? bytes : undefined;
    if (isAborted(partition, bytes, baseOffset)) return undefined;
    if (recordPlaces(bytes) === undefined) {
      log.isOpaque = true;
      return bytes;
    }
    const forgetsTombstones = !log.isOpaque && appendTimeMs + partition.policy.deleteRetentionMs <= this.#nowMs;
    return withOnly(bytes, ({ key, offset, isTombstone }) => {
      if (key === undefined) return true;
      if (offset < (lastOffsets.get(key) ?? 0)) return false;
      return !(isTombstone && forgetsTombstones);
    });
  }

  /** Takes note that the round is durable. */
  finish(): void {
    for (const { partition, endOffset } of this.#logs.values()) {
      partition.compactedUntil = Math.max(partition.compactedUntil, endOffset);
    }
  }

  /** From where on a segment holds what was written to a log since the last round. */
  #dirtyFrom(segment: SealedSegment, partitionId: number): number | undefined {
    const log = this.#logs.get(partitionId);
    const row = log && segment.index.summary(partitionId);
    if (log === undefined || row === undefined || row.firstOffset >= log.endOffset) return undefined;
    return Math.max(log.partition.compactedUntil, log.partition.startOffset);
  }
}

/** A log as far as it may be compacted; undefined where too little of it was written since the last round. */
function compactable(
  partition: Partition,
  segments: readonly Segment[],
  nowMs: number,
  isUrgent: boolean,
): CompactedLog | undefined {
  const { policy, compactedUntil } = partition;
  const stableUntil = Math.min(
    partition.visibleOffset,
    partition.producers?.transactions.firstUnstableOffset ?? partition.visibleOffset,
  );
  let [endOffset, dirtyBytes, allBytes] = [0, 0, 0];
  for (const segment of segments) {
    if (!(segment instanceof SealedSegment) || segment.appendedUntilMs + policy.minCompactionLagMs > nowMs) break;
    const row = segment.index.summary(partition.id);
    if (row === undefined || row.lastOffset < partition.startOffset) continue;
    if (row.firstOffset >= stableUntil) break;
    endOffset = Math.min(row.lastOffset + 1, stableUntil);
    allBytes += row.batchBytes;
    if (row.lastOffset >= compactedUntil) dirtyBytes += row.batchBytes;
  }
  if (endOffset <= compactedUntil || (!isUrgent && dirtyBytes < policy.minDirtyRatio * allBytes)) return undefined;
  return { partition, endOffset, dirtyBytes, lastOffsets: new Map(), isOpaque: false };
}

/** Returns how many more keys are known now. */
function learnKeys(log: CompactedLog, bytes: Buffer): number {
  const [baseOffset] = offsetsOf(bytes);
  if (batchIsControl(bytes, 0) || isAborted(log.partition, bytes, baseOffset)) return 0;
  const before = log.lastOffsets.size;
  for (const { key, offset } of recordPlaces(bytes) ?? []) {
    if (key !== undefined && offset >= log.partition.startOffset) log.lastOffsets.set(key, offset);
  }
  return log.lastOffsets.size - before;
}

function isAborted(partition: Partition, bytes: Buffer, baseOffset: number): boolean {
  if (!batchIsTransactional(bytes, 0) || partition.producers === undefined) return false;
  const producerId = batchProducerId(bytes, 0);
  const aborted = abortedWithin(partition.producers.transactions.aborted, baseOffset, baseOffset + 1);
  return aborted.some(([id]) => id === producerId);
}

function offsetsOf(bytes: Buffer): [first: number, last: number] {
  const baseOffset = batchBaseOffset(bytes, 0);
  return [baseOffset, baseOffset + batchLastOffsetDelta(bytes, 0)];
}
