import type { PartitionSummary } from './index-file.ts';
import type { Partition } from './partition.ts';
import type { SealedSegment } from './sealed-segment.ts';

/** What of a segment is still part of a log, in bytes of batches. */
export interface Worth {
  wantedBytes: number;
  /** The part of it that belongs to compacted logs: not even the quota takes that away. */
  keptBytes: number;
}

/** The partitions of a journal, and how often anything changed about what they want. */
export interface WantingPartitions {
  readonly partitions: ReadonlyMap<number, Partition>;
  /** Counts topics that were deleted or altered, and logs that start elsewhere now. */
  readonly wantChanges: number;
}

/** Judges what sealed segments still hold, and remembers it until something changes. */
export class SegmentWorth {
  readonly #owner: WantingPartitions;
  readonly #known = new WeakMap<SealedSegment, Worth & { at: number }>();

  constructor(owner: WantingPartitions) {
    this.#owner = owner;
  }

  of(segment: SealedSegment): Worth {
    const known = this.#known.get(segment);
    if (known?.at === this.#owner.wantChanges) return known;
    const worth = { wantedBytes: 0, keptBytes: 0, at: this.#owner.wantChanges };
    for (const [partition, row] of this.wantedRows(segment)) {
      worth.wantedBytes += row.batchBytes;
      if (partition.policy.isCompacted) worth.keptBytes += row.batchBytes;
    }
    this.#known.set(segment, worth);
    return worth;
  }

  /** What a segment holds of logs that are there and do not start behind it. */
  *wantedRows(segment: SealedSegment): Generator<[Partition, PartitionSummary], void, undefined> {
    for (const row of segment.index.directory.rows()) {
      const partition = this.#owner.partitions.get(row.partitionId);
      if (partition !== undefined && row.lastOffset >= partition.startOffset) yield [partition, row];
    }
  }
}
