import type { TransactionOutcome } from './api.ts';
import type {
  ControlRecord,
  OffsetRow,
  PendingOffsets,
  TransactionControl,
  TransactionDecision,
} from './control-record.ts';

/** What a volume keeps of a transactional id that it coordinates. */
export interface TransactionalIdRow {
  transactionalId: string;
  producerId: number;
  epoch: number;
  timeoutMs: number;
  updatedAtMs: number;
  /** The incarnation that named itself as the one to be replaced by this one. */
  expected?: [producerId: number, epoch: number];
  /** How the last transaction ended, until the next incarnation; markers and offsets may not be everywhere yet. */
  decision?: TransactionDecision;
}

/** The part of a checkpoint that tells of transactions, besides the partitions' own. */
export interface TransactionsCheckpoint {
  transactionalIds: TransactionalIdRow[];
  pendingOffsets: PendingOffsets[];
}

/** The fold over the records of transactions. */
export class TransactionsState {
  readonly transactionalIds = new Map<string, TransactionalIdRow>();
  readonly #pending = new Map<string, PendingOffsets>();

  static fromCheckpoint({ transactionalIds = [], pendingOffsets = [] }: Partial<TransactionsCheckpoint>) {
    const state = new TransactionsState();
    for (const row of transactionalIds) state.transactionalIds.set(row.transactionalId, row);
    for (const pending of pendingOffsets) state.#pending.set(keyOf(pending), pending);
    return state;
  }

  toCheckpoint(): TransactionsCheckpoint {
    return { transactionalIds: [...this.transactionalIds.values()], pendingOffsets: this.allPending() };
  }

  allPending(): PendingOffsets[] {
    return [...this.#pending.values()];
  }

  pendingOf(producerId: number, group: string): PendingOffsets | undefined {
    return this.#pending.get(keyOf({ producerId, group }));
  }

  /** Gives the offsets that are a group's from now on, where there are any. */
  apply(record: TransactionControl): { group: string; offsets: OffsetRow[] } | undefined {
    switch (record.kind) {
      case 'producer-opened': {
        const { kind: _, atMs, ...row } = record;
        this.transactionalIds.set(row.transactionalId, { ...row, updatedAtMs: atMs });
        return undefined;
      }
      case 'transaction-decided':
        this.#decide(record);
        return undefined;
      case 'transactional-id-expired':
        this.transactionalIds.delete(record.transactionalId);
        return undefined;
      case 'offsets-pending': {
        const earlier = this.pendingOf(record.producerId, record.group);
        const { producerId, group, id } = record;
        const offsets = latestOf([...(earlier?.offsets ?? []), ...record.offsets]);
        this.#pending.set(keyOf(record), { producerId, group, id, offsets });
        return undefined;
      }
      case 'pending-offsets-ended':
        return this.#endPending(record.producerId, record.group, record.outcome);
    }
  }

  hasOffsetsOfTopic(topic: string): boolean {
    return this.allPending().some(({ offsets }) => offsets.some((row) => row[0] === topic));
  }

  forgetOffsetsOf(topic: string): void {
    for (const [key, pending] of this.#pending) {
      this.#pending.set(key, { ...pending, offsets: pending.offsets.filter((row) => row[0] !== topic) });
    }
  }

  #decide(record: Extract<ControlRecord, { kind: 'transaction-decided' }>): void {
    const { kind: _, transactionalId, atMs, ...decision } = record;
    const row = this.transactionalIds.get(transactionalId);
    if (row === undefined) return;
    const { expected: __, ...rest } = row;
    const [producerId, epoch] = decision.next;
    this.transactionalIds.set(transactionalId, { ...rest, producerId, epoch, updatedAtMs: atMs, decision });
  }

  #endPending(producerId: number, group: string, outcome: TransactionOutcome) {
    const pending = this.pendingOf(producerId, group);
    if (pending === undefined) return undefined;
    this.#pending.delete(keyOf(pending));
    return outcome === 'commit' && pending.offsets.length > 0 ? { group, offsets: pending.offsets } : undefined;
  }
}

function keyOf({ producerId, group }: { producerId: number; group: string }): string {
  return `${producerId}/${group}`;
}

/** Of rows for one partition the last one counts. */
function latestOf(rows: OffsetRow[]): OffsetRow[] {
  return [...new Map(rows.map((row) => [`${row[0]}/${row[1]}`, row])).values()];
}
