/**
 * Open transactions that a journal brings along when it is opened. Those of a known transactional id go on; of the others
 * the coordinator is gone, or stayed where the volume came from: nobody will ever end them, so they are aborted.
 */
import type { EngineEvent } from './api.ts';
import { encodeMarker } from './control-batch.ts';
import type { PendingOffsets } from './control-record.ts';
import type { Journal } from './journal.ts';
import type { Partition } from './partition.ts';
import type { ProducerRegistry } from './producer-registry.ts';

export interface Orphans {
  transactions: { partition: Partition; producerId: number }[];
  offsets: PendingOffsets[];
}

/** Lets transactions of known ids go on from `nowMs`, and gives the others. */
export function orphansOf(journal: Journal, registry: ProducerRegistry, nowMs: number): Orphans {
  const orphans: Orphans = { transactions: [], offsets: [] };
  for (const partition of journal.partitions.values()) {
    for (const [producerId, firstOffset] of partition.producers?.transactions.open ?? []) {
      const id = registry.ofProducer(producerId);
      if (id === undefined) orphans.transactions.push({ partition, producerId });
      else if (!id.isEnding) {
        id.begin(nowMs);
        id.partitions.set(partition, firstOffset);
      }
    }
  }
  for (const pending of journal.durable.transactions.allPending()) {
    const id = registry.ofProducer(pending.producerId);
    if (id === undefined) orphans.offsets.push(pending);
    else if (!id.isEnding) {
      id.begin(nowMs);
      id.groups.set(pending.group, pending.id);
    }
  }
  return orphans;
}

export async function abortOrphans(
  journal: Journal,
  { transactions, offsets }: Orphans,
  nowMs: number,
  onEvent: (event: EngineEvent) => void,
): Promise<void> {
  if (transactions.length + offsets.length === 0) return;
  await journal.inOneTurn((turn) => {
    for (const { partition, producerId } of transactions) {
      const epoch = partition.producers?.table.epochOf(producerId) ?? 0;
      turn.append(partition, encodeMarker({ producerId, epoch }, 'abort', nowMs));
    }
    for (const { producerId, group } of offsets) {
      turn.record({ kind: 'pending-offsets-ended', producerId, group, outcome: 'abort' });
    }
  });
  const producers = new Set([...transactions, ...offsets].map(({ producerId }) => producerId));
  const detail = `${producers.size} open transactions were aborted: their transactional ids are not known here`;
  onEvent({ kind: 'transaction-aborted', volume: journal.volume, detail });
}
