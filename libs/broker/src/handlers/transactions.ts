import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import {
  type CommittedOffset,
  EngineError,
  type LogEngine,
  type OpenProducerOptions,
  type ProducerIdentity,
  type TransactionalProducer,
  type TransactionOutcome,
} from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import type { GroupCoordinator } from '../groups/coordinator.ts';
import type { OffsetExpiry } from '../groups/offset-expiry.ts';
import { type Route, route } from '../route.ts';
import type { AnnouncedWrites } from '../transactions/announced-writes.ts';
import { commitOffsets } from './commit-offsets.ts';

type InitProducerIdRequest = RequestOf<typeof apis.initProducerId>;

/** Clients before these versions know a producer that was replaced by its old error code only. */
const FENCED_SINCE = { initProducerId: 4, addPartitionsToTxn: 2, addOffsetsToTxn: 2, endTxn: 2 } as const;
/** From these versions on nothing needs to be announced, and each transaction has an epoch of its own (KIP-890). */
const UNANNOUNCED_SINCE = { txnOffsetCommit: 5, endTxn: 5 } as const;
const FENCED: readonly number[] = [errorCodes.PRODUCER_FENCED, errorCodes.INVALID_PRODUCER_EPOCH];
const NO_PRODUCER = { producerId: -1n, producerEpoch: -1 };

interface Parts {
  engine: LogEngine;
  coordinator: GroupCoordinator;
  expiry: OffsetExpiry;
  announced: AnnouncedWrites;
  maxMetadataBytes: number;
}

/** What transactional producers do: they are given an id, say where they will write, and end what they wrote. */
export function transactionRoutes({ engine, coordinator, expiry, announced, maxMetadataBytes }: Parts): Route[] {
  /** An epoch of the same producer was replaced, or the transactional id has another producer altogether. */
  const refusalOf = ({ transactionalId, producerId }: TransactionalProducer, error: unknown, knowsFenced: boolean) => {
    const errorCode = transactionError(error, knowsFenced);
    if (!FENCED.includes(errorCode)) return errorCode;
    const now = engine.transactions().find((each) => each.transactionalId === transactionalId);
    return now?.producer.producerId === producerId ? errorCode : errorCodes.INVALID_PRODUCER_ID_MAPPING;
  };

  const initProducerId = route(apis.initProducerId, async (request, { version }) => {
    const refuse = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, ...NO_PRODUCER });
    const options = producerOptions(request);
    if (options === undefined) return refuse(errorCodes.INVALID_REQUEST);
    try {
      const { producerId, epoch } = await engine.openProducer(options);
      if (options.transactionalId !== undefined) announced.forget(options.transactionalId);
      return { ...refuse(errorCodes.NONE), producerId, producerEpoch: epoch };
    } catch (error) {
      return refuse(transactionError(error, version >= FENCED_SINCE.initProducerId));
    }
  });

  const addPartitionsToTxn = route(apis.addPartitionsToTxn, async (request, { version }) => {
    const answer = (errorOf: (topic: string, index: number) => number) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((index) => ({ index, errorCode: errorOf(name, index) })),
      })),
    });
    const unknown = (topic: string, index: number) => findPartition(engine, topic, index).errorCode;
    const places = request.topics.flatMap(({ name, partitions }) =>
      partitions.map((index): [string, number] => [name, index]),
    );
    if (places.some(([topic, index]) => unknown(topic, index) !== errorCodes.NONE)) {
      return answer((topic, index) => unknown(topic, index) || errorCodes.OPERATION_NOT_ATTEMPTED);
    }
    const producer = producerOf(request);
    try {
      await engine.beginTransaction(producer);
      announced.addPartitions(producer, places);
      return answer(() => errorCodes.NONE);
    } catch (error) {
      const errorCode = refusalOf(producer, error, version >= FENCED_SINCE.addPartitionsToTxn);
      return answer(() => errorCode);
    }
  });

  const addOffsetsToTxn = route(apis.addOffsetsToTxn, async (request, { version }) => {
    if (request.groupId === '') return { throttleTimeMs: 0, errorCode: errorCodes.INVALID_GROUP_ID };
    const producer = producerOf(request);
    try {
      await engine.beginTransaction(producer);
      announced.addGroup(producer, request.groupId);
      return { throttleTimeMs: 0, errorCode: errorCodes.NONE };
    } catch (error) {
      const errorCode = refusalOf(producer, error, version >= FENCED_SINCE.addOffsetsToTxn);
      return { throttleTimeMs: 0, errorCode };
    }
  });

  const txnOffsetCommit = route(apis.txnOffsetCommit, async (request, { version }) => {
    const { groupId, topics } = request;
    const producer = producerOf(request);
    const isUnannounced = version >= UNANNOUNCED_SINCE.txnOffsetCommit;
    const refusal =
      isUnannounced || announced.allowsGroup(producer, groupId)
        ? membershipError(coordinator, request)
        : errorCodes.INVALID_TXN_STATE;
    const errorOf = (topic: string, index: number, metadata: string) =>
      refusal ||
      findPartition(engine, topic, index).errorCode ||
      (Buffer.byteLength(metadata) > maxMetadataBytes ? errorCodes.OFFSET_METADATA_TOO_LARGE : errorCodes.NONE);
    const store = async (offsets: CommittedOffset[]) => {
      expiry.touch(groupId);
      if (isUnannounced) await engine.beginTransaction(producer);
      await engine.commitOffsetsInTransaction(producer, groupId, offsets);
    };
    return { throttleTimeMs: 0, topics: await commitOffsets(topics, errorOf, store) };
  });

  const endTxn = route(apis.endTxn, async (request, { version }) => {
    const producer = producerOf(request);
    const outcome = request.committed ? 'commit' : 'abort';
    try {
      const { producerId, epoch } = await (version >= UNANNOUNCED_SINCE.endTxn
        ? endWithNewEpoch(engine, producer, outcome)
        : engine.endTransaction(producer, outcome));
      announced.forget(request.transactionalId);
      return { throttleTimeMs: 0, errorCode: errorCodes.NONE, producerId, producerEpoch: epoch };
    } catch (error) {
      const errorCode = refusalOf(producer, error, version >= FENCED_SINCE.endTxn);
      return { throttleTimeMs: 0, errorCode, ...NO_PRODUCER };
    }
  });

  return [initProducerId, addPartitionsToTxn, addOffsetsToTxn, endTxn, txnOffsetCommit];
}

/** A client that announces nothing cannot know whether any of its writes arrived: it may abort in any case. */
async function endWithNewEpoch(
  engine: LogEngine,
  producer: TransactionalProducer,
  outcome: TransactionOutcome,
): Promise<ProducerIdentity> {
  try {
    return await engine.endTransaction(producer, outcome, { bumpEpoch: true });
  } catch (error) {
    const nothingCame = error instanceof EngineError && error.code === 'invalid-transaction-state';
    if (!nothingCame || outcome === 'commit') throw error;
    await engine.beginTransaction(producer);
    return engine.endTransaction(producer, outcome, { bumpEpoch: true });
  }
}

/** Undefined where the request contradicts itself. A producer without a transactional id is always a new one. */
function producerOptions(request: InitProducerIdRequest): OpenProducerOptions | undefined {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch: epoch } = request;
  const isNamed = producerId >= 0n && epoch >= 0;
  if (transactionalId === '' || (!isNamed && (producerId !== -1n || epoch !== -1))) return undefined;
  if (transactionalId === null) return {};
  return { transactionalId, timeoutMs, ...(isNamed ? { expected: { producerId, epoch } } : {}) };
}

function producerOf(request: {
  transactionalId: string;
  producerId: bigint;
  producerEpoch: number;
}): TransactionalProducer {
  const { transactionalId, producerId, producerEpoch } = request;
  return { transactionalId, producerId, epoch: producerEpoch };
}

function transactionError(error: unknown, knowsFenced: boolean): number {
  const { errorCode } = kafkaErrorOf(error);
  return knowsFenced && errorCode === errorCodes.INVALID_PRODUCER_EPOCH ? errorCodes.PRODUCER_FENCED : errorCode;
}

/**
 * Whether who sends the offsets is the group's member that it claims to be. Offsets of a transaction are welcome while the
 * group completes a rebalance: that error would end the producer.
 */
function membershipError(coordinator: GroupCoordinator, request: RequestOf<typeof apis.txnOffsetCommit>): number {
  const { groupId, generationId, memberId, groupInstanceId } = request;
  if (groupId === '') return errorCodes.INVALID_GROUP_ID;
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return errorCodes.NONE;
  const errorCode = coordinator.checkCommit(groupId, request);
  return errorCode === errorCodes.REBALANCE_IN_PROGRESS ? errorCodes.NONE : errorCode;
}
