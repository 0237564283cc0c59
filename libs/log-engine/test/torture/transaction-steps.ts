import type { TransactionalProducer } from '@tickfold/log-engine';
import { batchOf } from '../batches.ts';
import { committedOf } from './committed.ts';
import { offsetsOf } from './found.ts';
import { isRefusal } from './refusal.ts';
import type { Rig } from './rig.ts';
import type { CommittedLog, Transaction, TransactionalState } from './transaction-model.ts';
import { Violation } from './violation.ts';

const TIMEOUT_MS = 60_000;

export interface Transact {
  producer: number;
  /** `leave`: it stays open, for whoever comes next. */
  outcome: 'commit' | 'abort' | 'leave';
  /** In each of the two topics. */
  records: [number, number];
  movesOffset: boolean;
  isNewIncarnation: boolean;
  bumpsEpoch: boolean;
  wait: boolean;
}

export async function makeTopics({ engine, model }: Rig): Promise<void> {
  for (const topic of model.transactions.topics) await engine.createTopic(topic, { partitionCount: 1 });
}

/** A transaction over two volumes, by one producer at a time. */
export async function transact(rig: Rig, order: Transact): Promise<void> {
  const state = rig.model.transactions.producers[order.producer];
  // Under a quota its records may go before they are looked at.
  if (state === undefined || state.isBusy || rig.hasQuota) return;
  state.isBusy = true;
  const work = runTransaction(rig, state, order)
    .catch((error: unknown) => {
      state.identity = undefined;
      if (
        !(rig.hasTurnedClock && isRefusal(error, 'producer-fenced', 'unknown-producer', 'invalid-transaction-state'))
      ) {
        rig.mustBeExplained(error);
      }
    })
    .finally(() => {
      state.isBusy = false;
    });
  rig.underWay.add(work);
  if (order.wait) await work.catch(() => undefined);
}

async function runTransaction(rig: Rig, state: TransactionalState, order: Transact): Promise<void> {
  const { engine, model } = rig;
  if (state.identity === undefined || order.isNewIncarnation) {
    const { transactionalId } = state;
    state.isReplacedBy(await engine.openProducer({ transactionalId, timeoutMs: TIMEOUT_MS }));
  }
  const producer: TransactionalProducer = { transactionalId: state.transactionalId, ...state.identity! };
  const transaction = state.open ?? model.transactions.begin(order.producer);
  state.open = transaction;
  await engine.beginTransaction(producer);
  for (const [i, topic] of model.transactions.topics.entries()) {
    await send(rig, state, producer, transaction, topic, order.records[i]!);
  }
  if (order.movesOffset) await moveOffset(rig, producer, transaction, order.producer);
  if (order.outcome === 'leave') return;
  state.open = undefined;
  transaction.outcome = order.outcome === 'commit' ? 'unknown' : 'aborted';
  const options = { bumpEpoch: order.bumpsEpoch };
  state.goOnAs(await engine.endTransaction(producer, order.outcome, options));
  if (order.outcome === 'commit') transaction.outcome = 'committed';
}

async function send(
  rig: Rig,
  state: TransactionalState,
  { producerId, epoch }: TransactionalProducer,
  transaction: Transaction,
  topic: string,
  count: number,
): Promise<void> {
  if (count === 0) return;
  const serial = rig.model.nextSerial();
  const values = Array.from({ length: count }, (_, i) => `x${serial}-${i}`);
  transaction.values.set(topic, [...(transaction.values.get(topic) ?? []), ...values]);
  const baseSequence = state.sequences.get(topic) ?? 0;
  const records = values.map((value) => ({ timestampMs: serial, key: null, value }));
  const batch = batchOf(records, { producerId, producerEpoch: epoch, baseSequence, isTransactional: true });
  await rig.engine.partition(topic, 0)!.append(batch, rig.random.pick(['written', 'synced', 'none']));
  state.sequences.set(topic, baseSequence + count);
}

async function moveOffset(
  rig: Rig,
  producer: TransactionalProducer,
  transaction: Transaction,
  partition: number,
): Promise<void> {
  const serial = rig.model.nextSerial();
  transaction.offset = serial;
  const row = { topic: 't.in', partition, offset: BigInt(serial), leaderEpoch: -1, metadata: '' };
  await rig.engine.commitOffsetsInTransaction(producer, rig.model.transactions.group, [row]);
}

/** New incarnations of all producers: what was left open is aborted, and hides nothing any more. */
export async function replaceProducers(rig: Rig): Promise<void> {
  for (const state of rig.model.transactions.producers) {
    const { transactionalId } = state;
    state.isReplacedBy(await rig.engine.openProducer({ transactionalId, timeoutMs: TIMEOUT_MS }));
  }
}

/** An incarnation that was replaced wants to commit: it is refused. */
export async function comeBackAsZombie(rig: Rig, which: number): Promise<void> {
  const state = rig.model.transactions.producers[which];
  if (state?.zombie === undefined || state.identity === undefined || state.isBusy) return;
  const producer: TransactionalProducer = { transactionalId: state.transactionalId, ...state.zombie };
  const answer = await rig.engine.endTransaction(producer, 'commit').then(
    () => 'done',
    (error: unknown) => error,
  );
  if (isRefusal(answer, 'producer-fenced', 'unknown-producer') || rig.isExplained(answer)) return;
  throw new Violation('unexplained', `a zombie of ${state.transactionalId} was answered with ${answer}`, answer);
}

/** Compares what readers of committed records see with what was committed. */
export async function compareTransactions(rig: Rig): Promise<void> {
  const { transactions } = rig.model;
  const logs = new Map<string, CommittedLog>();
  for (const topic of transactions.topics) {
    const log = rig.engine.partition(topic, 0);
    logs.set(topic, log === undefined ? { values: [], isComplete: true } : await committedOf(log));
  }
  transactions.settle(logs, offsetsOf(rig.engine, transactions.group));
}
