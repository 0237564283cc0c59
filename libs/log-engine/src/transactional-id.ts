import { randomBytes } from 'node:crypto';
import type { ProducerIdentity, TransactionDescription, TransactionOutcome } from './api.ts';
import type { TransactionDecision } from './control-record.ts';
import type { Partition } from './partition.ts';
import type { TransactionalIdRow } from './transactions-state.ts';

/** Kafka's clients take no higher one; one more is left for fencing. */
const LAST_EPOCH = 32_766;
/** Ids are told apart as numbers. */
const LARGEST_PRODUCER_ID = Number.MAX_SAFE_INTEGER - 1;

/** A producer's identity as the engine counts. */
export interface Producer {
  readonly producerId: number;
  readonly epoch: number;
}

/** Random: nothing has to be kept so that none comes twice. */
export function newProducer(): Producer {
  const random = Number(randomBytes(8).readBigUInt64BE() >> 11n);
  return { producerId: Math.min(Math.max(random, 1), LARGEST_PRODUCER_ID), epoch: 0 };
}

/** The next incarnation: one epoch more, or another id where epochs are used up. */
export function nextProducer({ producerId, epoch }: Producer): Producer {
  return epoch >= LAST_EPOCH ? newProducer() : { producerId, epoch: epoch + 1 };
}

export function isSameProducer(a: Producer, b: Producer): boolean {
  return a.producerId === b.producerId && a.epoch === b.epoch;
}

export function producerOf({ producerId, epoch }: ProducerIdentity): Producer {
  return { producerId: Number(producerId), epoch };
}

export function identityOf({ producerId, epoch }: Producer): ProducerIdentity {
  return { producerId: BigInt(producerId), epoch };
}

/** A transactional id as the engine knows it while it runs: who may write in its transaction, and where that wrote. */
export class TransactionalId {
  readonly name: string;
  /** That coordinates it. */
  readonly volume: string;
  producer: Producer;
  /** The incarnation that the present one was asked to replace. */
  expected: Producer | undefined;
  timeoutMs: number;
  updatedAtMs: number;
  /** `committing` and `aborting` until the outcome is everywhere. */
  state: TransactionDescription['state'] = 'empty';
  /** The next incarnation is on its way. */
  isOpening = false;
  startedAtMs: number | undefined;
  /** Tells the transaction under way from those before. */
  transactionCount = 0;
  /** That it wrote to, with its first offset in each. */
  readonly partitions = new Map<Partition, number>();
  /** Ids of the pending offsets of each group. */
  readonly groups = new Map<string, number>();
  /** How the transaction under way ends, or the last one ended. */
  decision: TransactionDecision | undefined;

  constructor(volume: string, row: TransactionalIdRow) {
    this.name = row.transactionalId;
    this.volume = volume;
    this.producer = { producerId: row.producerId, epoch: row.epoch };
    this.expected = row.expected && { producerId: row.expected[0], epoch: row.expected[1] };
    this.timeoutMs = row.timeoutMs;
    this.updatedAtMs = row.updatedAtMs;
    this.decision = row.decision;
    if (row.decision !== undefined) this.end(row.decision.outcome);
  }

  get isEnding(): boolean {
    return this.state === 'committing' || this.state === 'aborting';
  }

  begin(nowMs: number): void {
    if (this.state === 'ongoing') return;
    this.state = 'ongoing';
    this.startedAtMs = nowMs;
    this.updatedAtMs = nowMs;
    this.decision = undefined;
    this.expected = undefined;
    this.transactionCount++;
  }

  end(outcome: TransactionOutcome): void {
    this.state = outcome === 'commit' ? 'committing' : 'aborting';
  }

  /** The outcome is everywhere. */
  settle(): void {
    this.state = 'empty';
    this.startedAtMs = undefined;
    this.partitions.clear();
    this.groups.clear();
  }

  /** The decision that ends the transaction under way. Topics that were deleted meanwhile need no end. */
  decide(outcome: TransactionOutcome, endedBy: TransactionDecision['endedBy'], next: Producer): TransactionDecision {
    const partitions = [...this.partitions].filter(([partition]) => !partition.isDeleted);
    return {
      ...this.producer,
      outcome,
      endedBy,
      next: [next.producerId, next.epoch],
      partitions: partitions.map(([{ topic, partition }, firstOffset]) => [topic, partition, firstOffset]),
      groups: [...this.groups],
    };
  }

  /** True when that producer asked for this outcome before, and got it. */
  hasEnded(producer: Producer, outcome: TransactionOutcome): boolean {
    const { decision } = this;
    if (decision === undefined || decision.outcome !== outcome || decision.endedBy !== 'producer') return false;
    return isSameProducer(producer, decision) || isSameProducer(producer, this.producer);
  }

  describe(): TransactionDescription {
    const partitions = [...this.partitions.keys()].filter(({ isDeleted }) => !isDeleted);
    return {
      transactionalId: this.name,
      producer: identityOf(this.producer),
      state: this.state,
      outcome: this.decision?.outcome,
      startedAtMs: this.startedAtMs,
      timeoutMs: this.timeoutMs,
      partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
    };
  }
}
