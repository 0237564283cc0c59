/** What a decision asks of each journal. Doing it again changes nothing, so it is simply done again after a crash. */
import { encodeMarker } from './control-batch.ts';
import type { TransactionDecision } from './control-record.ts';
import type { Journal } from './journal.ts';
import type { JournalTurn } from './journal-context.ts';
import { volumeOfGroup, volumeOfTopic } from './names.ts';
import type { Partition } from './partition.ts';

/** The volumes that a transaction wrote to. */
export function volumesOf({ partitions, groups }: TransactionDecision): string[] {
  const volumes = [
    ...partitions.map(([topic]) => volumeOfTopic(topic)),
    ...groups.map(([group]) => volumeOfGroup(group)),
  ];
  return [...new Set(volumes)];
}

/** Appends the markers, and gives groups their offsets, as far as they lie in this journal and are not there yet. */
export function endIn(turn: JournalTurn, decision: TransactionDecision, nowMs: number): void {
  const { producerId, outcome } = decision;
  const marker = encodeMarker({ producerId, epoch: markerEpoch(decision) }, outcome, nowMs);
  for (const [topic, number, firstOffset] of decision.partitions) {
    const partition = turn.partition(topic, number);
    if (partition !== undefined && isOpenFrom(partition, producerId, firstOffset)) turn.append(partition, marker);
  }
  for (const [group, id] of decision.groups) {
    if (turn.state.transactions.pendingOf(producerId, group)?.id !== id) continue;
    turn.record({ kind: 'pending-offsets-ended', producerId, group, outcome });
  }
}

/** True when a journal, as it was recovered, lacks something that was decided. */
export function isUnfinishedIn(journal: Journal, decision: TransactionDecision): boolean {
  const { topics, transactions } = journal.durable;
  const isOpen = decision.partitions.some(([topic, number, firstOffset]) => {
    const partition = journal.partitions.get(topics.get(topic)?.partitionIds[number] ?? -1);
    return partition !== undefined && isOpenFrom(partition, decision.producerId, firstOffset);
  });
  return isOpen || decision.groups.some(([group, id]) => transactions.pendingOf(decision.producerId, group)?.id === id);
}

/** A transaction that the engine ended fences its producer in every partition, one whose epoch was raised its past. */
function markerEpoch({ producerId, epoch, next }: TransactionDecision): number {
  return next[0] === producerId ? next[1] : epoch;
}

function isOpenFrom(partition: Partition, producerId: number, firstOffset: number): boolean {
  return partition.producers?.transactions.openFrom(producerId) === firstOffset;
}
