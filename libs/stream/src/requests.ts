/** What this library asks a broker, one function a request: plain values in and out, broker's error codes as StreamErrors. */
import { apis, EARLIEST_TIMESTAMP, errorCodes, errorName, LATEST_TIMESTAMP } from '@tickfold/kafka-protocol';
import type { GroupOffsets, Isolation, TopicSpec } from './api.ts';
import type { AbortedTransaction } from './chunk.ts';
import type { Connection } from './connection.ts';
import { outOfRange, StreamError, type StreamErrorCode } from './errors.ts';
import type { BatchEntry, ProducerIdentity } from './producer.ts';

/** Versions that the embedded broker, and every Kafka broker since 2.3, serves. */
const VERSIONS = {
  produce: 7,
  /** From here on a partition joins a transaction with its first batch. */
  produceInTransaction: 12,
  fetch: 11,
  listOffsets: 5,
  metadata: 6,
  createTopics: 3,
  deleteTopics: 3,
  deleteGroups: 1,
  offsetCommit: 7,
  offsetFetch: 5,
  listGroups: 2,
  initProducerId: 4,
  /** From here on the group joins a transaction with its offsets. */
  txnOffsetCommit: 5,
  /** From here on each transaction has an epoch of its own. */
  endTxn: 5,
} as const;

const PRODUCE_TIMEOUT_MS = 30_000;
const CREATE_TIMEOUT_MS = 30_000;
const CONSUMER_REPLICA = -1;
const ISOLATION_LEVELS = { uncommitted: 0, committed: 1 } as const satisfies Record<Isolation, number>;

interface PartitionName {
  topic: string;
  partition: number;
}

/**
 * Appends batches. Resolves with the errors of the partitions that refused theirs.
 * @param transactionalId of transactional batches: their partitions join the transaction
 * @throws StreamError
 */
export async function produce(
  connection: Connection,
  acks: -1 | 1,
  entries: BatchEntry[],
  transactionalId: string | null = null,
): Promise<StreamError[]> {
  const version = transactionalId === null ? VERSIONS.produce : VERSIONS.produceInTransaction;
  const response = await connection.request(apis.produce, version, {
    transactionalId,
    acks,
    timeoutMs: PRODUCE_TIMEOUT_MS,
    topics: byTopic(entries).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, batches }) => ({ index: partition, records: batches })),
    })),
  });
  const errors: StreamError[] = [];
  for (const { name, partitions } of response.topics) {
    for (const { index, errorCode, errorMessage } of partitions) {
      if (errorCode === errorCodes.NONE) continue;
      errors.push(brokerError(errorCode, `records for '${name}' partition ${index} were not appended`, errorMessage));
    }
  }
  return errors;
}

export interface FetchRequest {
  maxBytes: number;
  partitionMaxBytes: number;
  maxWaitMs: number;
  isolation: Isolation;
  partitions: (PartitionName & { offset: bigint })[];
}

export interface FetchAnswer extends PartitionName {
  error: StreamError | 'offset-out-of-range' | undefined;
  /** After the last record that may be seen now. */
  highWatermark: bigint;
  records: Uint8Array;
  abortedTransactions: readonly AbortedTransaction[];
}

const NO_RECORDS = new Uint8Array(0);

/** Waits up to `maxWaitMs` for the first record. @throws StreamError */
export async function fetch(connection: Connection, request: FetchRequest): Promise<FetchAnswer[]> {
  const { maxBytes, partitionMaxBytes, maxWaitMs, isolation } = request;
  const response = await connection.request(
    apis.fetch,
    VERSIONS.fetch,
    {
      replicaId: CONSUMER_REPLICA,
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: ISOLATION_LEVELS[isolation],
      sessionId: 0,
      sessionEpoch: -1,
      topics: byTopic(request.partitions).map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partition, offset }) => ({
          index: partition,
          currentLeaderEpoch: -1,
          fetchOffset: offset,
          lastFetchedEpoch: -1,
          logStartOffset: -1n,
          partitionMaxBytes,
        })),
      })),
      forgottenTopics: [],
      rackId: '',
    },
    maxWaitMs,
  );
  if (response.errorCode !== errorCodes.NONE) throw brokerError(response.errorCode, 'a fetch was refused');
  const answers: FetchAnswer[] = [];
  for (const { name, partitions } of response.topics) {
    for (const { index, errorCode, records, ...ends } of partitions) {
      answers.push({
        topic: name,
        partition: index,
        error: fetchError(errorCode, name, index),
        highWatermark: isolation === 'committed' ? ends.lastStableOffset : ends.highWatermark,
        records: records[0] ?? NO_RECORDS,
        abortedTransactions: ends.abortedTransactions ?? [],
      });
    }
  }
  return answers;
}

function fetchError(errorCode: number, topic: string, partition: number): FetchAnswer['error'] {
  if (errorCode === errorCodes.NONE) return undefined;
  if (errorCode === errorCodes.OFFSET_OUT_OF_RANGE) return 'offset-out-of-range';
  return brokerError(errorCode, `'${topic}' partition ${partition} cannot be read`);
}

/** The error for a position that the log does not hold, naming what it does hold. */
export async function offsetOutOfRange(
  connection: Connection,
  at: PartitionName & { offset: bigint },
): Promise<StreamError> {
  const [start] = await listOffsets(connection, 'earliest', [at]);
  const [end] = await listOffsets(connection, 'latest', [at]);
  return outOfRange(at, start!.offset, end!.offset);
}

/**
 * Of each partition the offset of its first record, the one after the last committed record, or that of the first record
 * at or after a time (-1 where there is none).
 * @throws StreamError
 */
export async function listOffsets(
  connection: Connection,
  at: 'earliest' | 'latest' | { timestampMs: number },
  partitions: readonly PartitionName[],
): Promise<(PartitionName & { offset: bigint })[]> {
  const timestamp = timestampOf(at);
  const response = await connection.request(apis.listOffsets, VERSIONS.listOffsets, {
    replicaId: CONSUMER_REPLICA,
    isolationLevel: ISOLATION_LEVELS.committed,
    topics: byTopic(partitions).map((topic) => ({
      name: topic.name,
      partitions: topic.partitions.map(({ partition }) => ({ index: partition, currentLeaderEpoch: -1, timestamp })),
    })),
  });
  const offsets: (PartitionName & { offset: bigint })[] = [];
  for (const { name, partitions } of response.topics) {
    for (const { index, errorCode, offset } of partitions) {
      throwIfRefused(errorCode, `'${name}' partition ${index} does not tell its offsets`);
      offsets.push({ topic: name, partition: index, offset });
    }
  }
  return offsets;
}

function timestampOf(at: Parameters<typeof listOffsets>[1]): bigint {
  if (at === 'earliest') return EARLIEST_TIMESTAMP;
  return at === 'latest' ? LATEST_TIMESTAMP : BigInt(at.timestampMs);
}

export interface TopicSummary {
  name: string;
  partitionCount: number;
}

/** The topics of these names that exist, or all. @throws StreamError */
export async function describeTopics(connection: Connection, names?: string[]): Promise<TopicSummary[]> {
  const response = await connection.request(apis.metadata, VERSIONS.metadata, {
    topics: names?.map((name) => ({ name })) ?? null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
  return response.topics
    .filter(({ errorCode, name }) => {
      if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return false;
      throwIfRefused(errorCode, `topic '${name}' cannot be described`);
      return true;
    })
    .map(({ name, partitions }) => ({ name, partitionCount: partitions.length }));
}

/** Makes topics; one that exists meanwhile is left as it is. @throws StreamError */
export async function createTopics(connection: Connection, topics: TopicSpec[]): Promise<void> {
  const response = await connection.request(apis.createTopics, VERSIONS.createTopics, {
    topics: topics.map(({ name, partitionCount, settings = {} }) => ({
      name,
      partitionCount,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs: CREATE_TIMEOUT_MS,
    validateOnly: false,
  });
  for (const { name, errorCode, errorMessage } of response.topics) {
    if (errorCode === errorCodes.TOPIC_ALREADY_EXISTS) continue;
    throwIfRefused(errorCode, `topic '${name}' was not made`, errorMessage);
  }
}

/** Deletes topics with all their records. @throws StreamError */
export async function deleteTopics(connection: Connection, names: readonly string[]): Promise<void> {
  const request = { topics: [], topicNames: [...names], timeoutMs: CREATE_TIMEOUT_MS };
  const response = await connection.request(apis.deleteTopics, VERSIONS.deleteTopics, request);
  for (const { name, errorCode } of response.topics) throwIfRefused(errorCode, `topic '${name}' was not deleted`);
}

/** Deletes groups with their offsets. @throws StreamError */
export async function deleteGroups(connection: Connection, names: readonly string[]): Promise<void> {
  const response = await connection.request(apis.deleteGroups, VERSIONS.deleteGroups, { groups: [...names] });
  for (const { groupId, errorCode } of response.results)
    throwIfRefused(errorCode, `group '${groupId}' was not deleted`);
}

/** Commits without membership, as one reader that assigns its partitions itself. @throws StreamError */
export async function commitOffsets(
  connection: Connection,
  group: string,
  topic: string,
  offsets: ReadonlyMap<number, bigint>,
): Promise<void> {
  const response = await connection.request(apis.offsetCommit, VERSIONS.offsetCommit, {
    groupId: group,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1n,
    topics: [
      {
        name: topic,
        partitions: offsetRows(offsets),
      },
    ],
  });
  for (const { partitions } of response.topics) {
    for (const { index, errorCode } of partitions) {
      throwIfRefused(errorCode, `offset of group '${group}' in '${topic}' partition ${index} was not committed`);
    }
  }
}

function offsetRows(offsets: ReadonlyMap<number, bigint>) {
  return Array.from(offsets, ([index, committedOffset]) => ({
    index,
    committedOffset,
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }));
}

/** Committed offsets of a topic's partitions; those without one are absent. @throws StreamError */
export async function committedOffsets(
  connection: Connection,
  group: string,
  topic: string,
): Promise<Map<number, bigint>> {
  const response = await connection.request(apis.offsetFetch, VERSIONS.offsetFetch, {
    groupId: group,
    topics: null,
    groups: [],
    requireStable: false,
  });
  throwIfRefused(response.errorCode, `offsets of group '${group}' cannot be read`);
  const offsets = new Map<number, bigint>();
  for (const { name, partitions } of response.topics) {
    if (name !== topic) continue;
    for (const { index, committedOffset, errorCode } of partitions) {
      throwIfRefused(errorCode, `offset of group '${group}' in '${topic}' partition ${index} cannot be read`);
      if (committedOffset >= 0n) offsets.set(index, committedOffset);
    }
  }
  return offsets;
}

/**
 * Opens the next incarnation of a transactional producer; undefined while the transaction of the one before is being
 * ended.
 * @throws StreamError
 */
export async function initProducer(
  connection: Connection,
  transactionalId: string | null,
  transactionTimeoutMs: number,
): Promise<ProducerIdentity | undefined> {
  const response = await connection.request(apis.initProducerId, VERSIONS.initProducerId, {
    transactionalId,
    transactionTimeoutMs,
    producerId: -1n,
    producerEpoch: -1,
  });
  const { errorCode, producerId, producerEpoch: epoch } = response;
  if (errorCode === errorCodes.CONCURRENT_TRANSACTIONS) return undefined;
  throwIfRefused(errorCode, `no producer '${transactionalId}' was opened`);
  return { producerId, epoch };
}

/** Takes offsets of groups into a producer's transaction. @throws StreamError */
export async function addOffsets(
  connection: Connection,
  transactionalId: string,
  { producerId, epoch: producerEpoch }: ProducerIdentity,
  { group, topic, offsets, member }: GroupOffsets,
): Promise<void> {
  const response = await connection.request(apis.txnOffsetCommit, VERSIONS.txnOffsetCommit, {
    transactionalId,
    groupId: group,
    producerId,
    producerEpoch,
    generationId: member?.generation ?? -1,
    memberId: member?.memberId ?? '',
    groupInstanceId: null,
    topics: [{ name: topic, partitions: offsetRows(offsets) }],
  });
  for (const { partitions } of response.topics) {
    for (const { index, errorCode } of partitions) {
      throwIfRefused(errorCode, `offset of group '${group}' in '${topic}' partition ${index} joins no transaction`);
    }
  }
}

/** Ends a transaction. @returns as whom the producer begins the next one. @throws StreamError */
export async function endTransaction(
  connection: Connection,
  transactionalId: string,
  { producerId, epoch: producerEpoch }: ProducerIdentity,
  outcome: 'commit' | 'abort',
): Promise<ProducerIdentity> {
  const committed = outcome === 'commit';
  const request = { transactionalId, producerId, producerEpoch, committed };
  const response = await connection.request(apis.endTxn, VERSIONS.endTxn, request);
  throwIfRefused(response.errorCode, `the transaction of '${transactionalId}' did not ${outcome}`);
  return { producerId: response.producerId, epoch: response.producerEpoch };
}

/** Names of all groups. @throws StreamError */
export async function listGroups(connection: Connection): Promise<string[]> {
  const response = await connection.request(apis.listGroups, VERSIONS.listGroups, { states: [], types: [] });
  throwIfRefused(response.errorCode, 'groups cannot be listed');
  return response.groups.map(({ groupId }) => groupId);
}

/** What a broker says while it starts, stops or hands over. */
const PASSING_ERRORS: ReadonlySet<number> = new Set([
  errorCodes.LEADER_NOT_AVAILABLE,
  errorCodes.NOT_LEADER_OR_FOLLOWER,
  errorCodes.REQUEST_TIMED_OUT,
  errorCodes.BROKER_NOT_AVAILABLE,
  errorCodes.NETWORK_EXCEPTION,
  errorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  errorCodes.COORDINATOR_NOT_AVAILABLE,
  errorCodes.NOT_COORDINATOR,
  errorCodes.NOT_CONTROLLER,
  errorCodes.KAFKA_STORAGE_ERROR,
]);

/** What a producer hears when another one took its transactional id, or when the broker ended its transaction or is ending it. */
const FENCING_ERRORS: ReadonlySet<number> = new Set([
  errorCodes.INVALID_PRODUCER_EPOCH,
  errorCodes.PRODUCER_FENCED,
  errorCodes.INVALID_PRODUCER_ID_MAPPING,
  errorCodes.INVALID_TXN_STATE,
  errorCodes.CONCURRENT_TRANSACTIONS,
]);

function brokerError(errorCode: number, what: string, detail: string | null = null): StreamError {
  const said = detail === null ? errorName(errorCode) : `${errorName(errorCode)}, ${detail}`;
  return new StreamError(streamErrorCode(errorCode), `${what}: ${said}`);
}

function streamErrorCode(errorCode: number): StreamErrorCode {
  if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return 'unknown-topic';
  if (FENCING_ERRORS.has(errorCode)) return 'fenced';
  if (errorCode === errorCodes.MESSAGE_TOO_LARGE) return 'record-too-large';
  return PASSING_ERRORS.has(errorCode) ? 'unavailable' : 'rejected';
}

function throwIfRefused(errorCode: number, what: string, detail: string | null = null): void {
  if (errorCode !== errorCodes.NONE) throw brokerError(errorCode, what, detail);
}

function byTopic<T extends PartitionName>(entries: readonly T[]): { name: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const entry of entries) {
    const partitions = topics.get(entry.topic);
    if (partitions === undefined) topics.set(entry.topic, [entry]);
    else partitions.push(entry);
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions }));
}
