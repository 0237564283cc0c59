import type { ProducerIdentity } from '@tickfold/log-engine';
import { mustHold } from './violation.ts';

/** What readers of committed records see of one topic. */
export interface CommittedLog {
  values: readonly string[];
  /** Nothing is hidden behind a transaction that has not ended. */
  isComplete: boolean;
}

export interface Transaction {
  readonly producer: number;
  /** By topic. */
  readonly values: Map<string, string[]>;
  /** Position that goes with it. */
  offset: number | undefined;
  /** `unknown`: its commit was asked for and not answered. Only a commit that was asked for may ever show. */
  outcome: 'open' | 'committed' | 'aborted' | 'unknown';
}

/** A transactional producer, as its own process knows itself. */
export class TransactionalState {
  readonly transactionalId: string;
  identity: ProducerIdentity | undefined;
  /** An earlier incarnation, which must not get anything done any more. */
  zombie: ProducerIdentity | undefined;
  /** A transaction that was begun and left. */
  open: Transaction | undefined;
  isBusy = false;
  /** Next sequence by topic. */
  readonly sequences = new Map<string, number>();

  constructor(transactionalId: string) {
    this.transactionalId = transactionalId;
  }

  /** A new incarnation takes over; what the one before left open is aborted. */
  isReplacedBy(identity: ProducerIdentity): void {
    this.zombie = this.identity ?? this.zombie;
    if (this.open !== undefined) this.open.outcome = 'aborted';
    this.open = undefined;
    this.goOnAs(identity);
  }

  goOnAs(identity: ProducerIdentity): void {
    const isSame = this.identity?.epoch === identity.epoch && this.identity.producerId === identity.producerId;
    if (!isSame) this.sequences.clear();
    this.identity = identity;
  }
}

/** Two topics in two volumes that transactions alone write to, and the positions that move with them. */
export class TransactionModel {
  readonly topics = ['t.out', 'u.out'];
  readonly group = 't.moved';
  readonly producers = ['t.first', 'u.second'].map((id) => new TransactionalState(id));
  readonly #transactions: Transaction[] = [];

  begin(producer: number): Transaction {
    const transaction: Transaction = { producer, values: new Map(), offset: undefined, outcome: 'open' };
    this.#transactions.push(transaction);
    return transaction;
  }

  /** The engine has ended, and with it the processes that used it. */
  engineEnded(): void {
    for (const state of this.producers) {
      state.zombie = state.identity ?? state.zombie;
      state.identity = undefined;
    }
  }

  /** Compares what readers of committed records see; where nothing is hidden, unknown outcomes are known from now on. */
  settle(logs: ReadonlyMap<string, CommittedLog>, offsets: ReadonlyMap<string, number>): void {
    const shown = new Map([...logs].map(([topic, { values }]) => [topic, new Set(values)]));
    for (const [topic, { values }] of logs) {
      mustHold(
        shown.get(topic)!.size === values.length,
        'doubled',
        () => `${topic}: a record of a transaction is there twice`,
      );
    }
    for (const transaction of this.#transactions) {
      const areShown = [...transaction.values].map(([topic, values]) =>
        values.filter((value) => shown.get(topic)?.has(value)),
      );
      const count = areShown.flat().length;
      const mayShow = transaction.outcome === 'committed' || transaction.outcome === 'unknown';
      mustHold(count === 0 || mayShow, 'aborted-read', () => `${areShown.flat().join(', ')} of ${transaction.outcome}`);
    }
    if ([...logs.values()].every(({ isComplete }) => isComplete)) this.#settleOutcomes(shown, offsets);
    for (const [topic, { values }] of logs) this.#checkOrder(topic, values);
  }

  #settleOutcomes(shown: ReadonlyMap<string, ReadonlySet<string>>, offsets: ReadonlyMap<string, number>): void {
    const expected = new Map<string, number>();
    for (const transaction of this.#transactions) {
      const sent = [...transaction.values].flatMap(([topic, values]) => values.map((value) => ({ topic, value })));
      const missing = sent.filter(({ topic, value }) => !shown.get(topic)?.has(value));
      if (transaction.outcome === 'unknown') {
        const isWhole = missing.length === 0 || missing.length === sent.length;
        mustHold(isWhole, 'torn', () => `of a transaction ${missing.map(({ value }) => value).join(', ')} are missing`);
        // One that moved nothing but a position is known by that.
        const hasMoved = offsets.get(`t.in/${transaction.producer}`) === transaction.offset;
        transaction.outcome = (sent.length === 0 ? hasMoved : missing.length === 0) ? 'committed' : 'aborted';
      }
      if (transaction.outcome !== 'committed') continue;
      mustHold(missing.length === 0, 'lost', () => `${missing[0]?.value}, committed, is not in ${missing[0]?.topic}`);
      if (transaction.offset !== undefined) expected.set(`t.in/${transaction.producer}`, transaction.offset);
    }
    for (const [place, offset] of expected) {
      mustHold(
        offsets.get(place) === offset,
        'torn',
        () => `position ${offsets.get(place)} of ${place} instead of ${offset}`,
      );
    }
  }

  /** The transactions of a producer show in their order. */
  #checkOrder(topic: string, values: readonly string[]): void {
    for (const producer of this.producers.keys()) {
      const own = this.#transactions.filter((transaction) => transaction.producer === producer);
      const order = own.flatMap((transaction) => transaction.values.get(topic) ?? []);
      const places = values.map((value) => order.indexOf(value)).filter((place) => place >= 0);
      const isAscending = places.every((place, i) => i === 0 || place > places[i - 1]!);
      mustHold(
        isAscending,
        'reordered',
        () => `${topic}: transactions of ${this.producers[producer]?.transactionalId}`,
      );
    }
    const known = new Set(this.#transactions.flatMap((transaction) => transaction.values.get(topic) ?? []));
    const unknown = values.find((value) => !known.has(value));
    mustHold(unknown === undefined, 'doubled', () => `${topic}: ${unknown} was not sent`);
  }
}
