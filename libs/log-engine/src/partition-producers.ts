import type { PartitionProducer } from './api.ts';
import {
  batchHasProducer,
  batchIsControl,
  batchLastOffsetDelta,
  batchProducerEpoch,
  batchProducerId,
} from './batch-header.ts';
import { markerOutcome } from './control-batch.ts';
import type { Checkpoint } from './journal-state.ts';
import { type AbortedRow, PartitionTransactions, type UnstableTransaction } from './partition-transactions.ts';
import { NO_SEQUENCE, producerBatchAt } from './producer-batches.ts';
import { type ProducerRow, ProducerTable } from './producer-table.ts';

/** The part of a checkpoint that tells of producers; of each partition that has any. */
export interface ProducersCheckpoint {
  producers: [partitionId: number, producers: ProducerRow[], open: [producerId: number, firstOffset: number][]][];
  aborted: [partitionId: number, transactions: AbortedRow[]][];
}

const NOTHING = {};

/** What a partition knows of producers with an id. Partitions that never saw one have none of this. */
export class PartitionProducers {
  readonly table: ProducerTable;
  readonly transactions: PartitionTransactions;

  constructor(table = new ProducerTable(), transactions = new PartitionTransactions()) {
    this.table = table;
    this.transactions = transactions;
  }

  /** By partition id. */
  static fromCheckpoint({ producers = [], aborted = [] }: Partial<Checkpoint>): Map<number, PartitionProducers> {
    const rowsOfAborted = new Map(aborted);
    return new Map(
      producers.map(([partitionId, rows, open]) => {
        const transactions = PartitionTransactions.from(open, rowsOfAborted.get(partitionId) ?? []);
        return [partitionId, new PartitionProducers(ProducerTable.fromRows(rows), transactions)];
      }),
    );
  }

  /**
   * Takes note of a batch with a producer id that was appended: records or a marker.
   * @returns whose transaction it began, or what it ended
   */
  add(
    bytes: Buffer,
    at: number,
    baseOffset: number,
    appendTimeMs: number,
  ): { begun?: number; ended?: UnstableTransaction | undefined } {
    if (batchIsControl(bytes, at)) {
      const producerId = batchProducerId(bytes, at);
      this.table.addMarker(producerId, batchProducerEpoch(bytes, at), appendTimeMs);
      return { ended: this.transactions.end(producerId, baseOffset, markerOutcome(bytes, at)) };
    }
    const batch = producerBatchAt(bytes, at);
    this.table.add(batch, baseOffset, baseOffset + batchLastOffsetDelta(bytes, at), appendTimeMs);
    if (!batch.isTransactional || this.transactions.openFrom(batch.producerId) !== undefined) return NOTHING;
    this.transactions.begin(batch.producerId, baseOffset);
    return { begun: batch.producerId };
  }

  describe(): PartitionProducer[] {
    return this.table.toRows().map(([producerId, epoch, lastAppendMs, batches]) => {
      const openFrom = this.transactions.openFrom(producerId);
      return {
        producerId: BigInt(producerId),
        epoch,
        lastSequence: batches.at(-1)?.[1] ?? NO_SEQUENCE,
        lastAppendMs,
        openFrom: openFrom === undefined ? undefined : BigInt(openFrom),
      };
    });
  }

  /** Forgets producers that appended nothing since then, but those with an open transaction. */
  expire(beforeMs: number): void {
    this.table.expire(beforeMs, (producerId) => this.transactions.openFrom(producerId) !== undefined);
  }
}

/** As `PartitionProducers.add`, of a batch that a scan found in a log: what it ended is durable. */
export function addStored(
  known: Map<number, PartitionProducers>,
  partitionId: number,
  bytes: Buffer,
  at: number,
  baseOffset: number,
  appendTimeMs: number,
): void {
  if (!batchHasProducer(bytes, at)) return;
  const producers = known.get(partitionId) ?? new PartitionProducers();
  known.set(partitionId, producers);
  const { ended } = producers.add(bytes, at, baseOffset, appendTimeMs);
  if (ended !== undefined) producers.transactions.settle(ended);
}

/** What the next checkpoint says of these partitions. */
export function producersCheckpoint(
  partitions: Iterable<{ id: number; producers: PartitionProducers | undefined }>,
): ProducersCheckpoint {
  const checkpoint: ProducersCheckpoint = { producers: [], aborted: [] };
  for (const { id, producers } of partitions) {
    if (producers === undefined) continue;
    checkpoint.producers.push([id, producers.table.toRows(), producers.transactions.open]);
    const { aborted } = producers.transactions;
    if (aborted.length > 0) checkpoint.aborted.push([id, [...aborted]]);
  }
  return checkpoint;
}
