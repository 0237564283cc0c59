import { apis, errorCodes, type ResponseOf } from '@tickfold/kafka-protocol';
import type { LogEngine, TransactionDescription } from '@tickfold/log-engine';
import { findPartition } from '../engine-errors.ts';
import { type Route, route } from '../route.ts';
import type { AnnouncedWrites } from '../transactions/announced-writes.ts';

type DescribedTransaction = ResponseOf<typeof apis.describeTransactions>['transactions'][number];
type DescribedPartition = ResponseOf<typeof apis.describeProducers>['topics'][number]['partitions'][number];

/** Kafka's names. The last two are never met here, but not unknown to who filters by them. */
const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
];
const NOT_THERE: Omit<DescribedTransaction, 'transactionalId'> = {
  errorCode: errorCodes.TRANSACTIONAL_ID_NOT_FOUND,
  state: '',
  timeoutMs: 0,
  startTimeMs: -1n,
  producerId: -1n,
  producerEpoch: -1,
  topics: [],
};

/** What tools ask about transactions and producers. */
export function transactionAdminRoutes(engine: LogEngine, announced: AnnouncedWrites): Route[] {
  const describeProducers = route(apis.describeProducers, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((index): DescribedPartition => {
        const { log, errorCode } = findPartition(engine, name, index);
        const activeProducers = (log?.describeProducers() ?? []).map((producer) => ({
          producerId: producer.producerId,
          producerEpoch: producer.epoch,
          lastSequence: producer.lastSequence,
          lastTimestamp: BigInt(producer.lastAppendMs),
          coordinatorEpoch: 0,
          currentTxnStartOffset: producer.openFrom ?? -1n,
        }));
        return { index, errorCode, errorMessage: null, activeProducers };
      }),
    })),
  }));

  const describeTransactions = route(apis.describeTransactions, ({ transactionalIds }) => {
    const known = new Map(engine.transactions().map((each) => [each.transactionalId, each]));
    return {
      throttleTimeMs: 0,
      transactions: transactionalIds.map((transactionalId): DescribedTransaction => {
        const found = known.get(transactionalId);
        if (found === undefined) return { ...NOT_THERE, transactionalId };
        return {
          errorCode: errorCodes.NONE,
          transactionalId,
          state: stateOf(found),
          timeoutMs: found.timeoutMs,
          startTimeMs: BigInt(found.startedAtMs ?? -1),
          producerId: found.producer.producerId,
          producerEpoch: found.producer.epoch,
          topics: partitionsOf(found, announced),
        };
      }),
    };
  });

  const listTransactions = route(apis.listTransactions, (request) => {
    const { stateFilters, producerIdFilters, durationFilterMs } = request;
    const nowMs = BigInt(Date.now());
    const isWanted = (transaction: TransactionDescription): boolean => {
      const { startedAtMs, producer } = transaction;
      if (stateFilters.length > 0 && !stateFilters.includes(stateOf(transaction))) return false;
      if (producerIdFilters.length > 0 && !producerIdFilters.includes(producer.producerId)) return false;
      return durationFilterMs < 0n || (startedAtMs !== undefined && nowMs - BigInt(startedAtMs) > durationFilterMs);
    };
    return {
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      unknownStateFilters: stateFilters.filter((state) => !STATES.includes(state)),
      transactions: engine
        .transactions()
        .filter(isWanted)
        .map((transaction) => ({
          transactionalId: transaction.transactionalId,
          producerId: transaction.producer.producerId,
          state: stateOf(transaction),
        })),
    };
  });

  return [describeProducers, describeTransactions, listTransactions];
}

function stateOf({ state, outcome }: TransactionDescription): string {
  switch (state) {
    case 'ongoing':
      return 'Ongoing';
    case 'committing':
      return 'PrepareCommit';
    case 'aborting':
      return 'PrepareAbort';
    case 'empty':
      if (outcome === undefined) return 'Empty';
      return outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort';
  }
}

/** Those that were written to, and those that were only announced; as in Kafka none once it is over. */
function partitionsOf(
  { transactionalId, producer, state, partitions }: TransactionDescription,
  announced: AnnouncedWrites,
): DescribedTransaction['topics'] {
  if (state === 'empty') return [];
  const topics = new Map<string, Set<number>>();
  const written = partitions.map(({ topic, partition }): [string, number] => [topic, partition]);
  for (const [topic, index] of [...written, ...announced.partitionsOf({ transactionalId, ...producer })]) {
    topics.set(topic, (topics.get(topic) ?? new Set()).add(index));
  }
  return Array.from(topics, ([name, indexes]) => ({ name, partitions: [...indexes] }));
}
