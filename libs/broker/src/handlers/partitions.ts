import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import { LEADER_EPOCH, NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type MorePartitions = RequestOf<typeof apis.createPartitions>['topics'][number];

const UNKNOWN = { leaderEpoch: -1, endOffset: -1n };

export function createPartitionsRoute(
  engine: LogEngine,
  { partitionsPerTopic }: { partitionsPerTopic: number },
): Route {
  const problemWith = ({ name, count, assignments }: MorePartitions) => {
    const existing = engine.topic(name)?.partitionCount;
    if (existing === undefined) {
      return { errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `there is no topic '${name}'` };
    }
    const invalid = (errorMessage: string) => ({ errorCode: errorCodes.INVALID_PARTITIONS, errorMessage });
    if (count === existing) return invalid(`topic '${name}' has ${existing} partitions already`);
    if (count < existing) return invalid(`topic '${name}' has ${existing} partitions and cannot go down to ${count}`);
    if (count > partitionsPerTopic) return invalid(`${count} partitions: a topic has 1 to ${partitionsPerTopic}`);
    if (assignments === null) return undefined;
    const isComplete = assignments.length === count - existing;
    const areHere = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === NODE_ID);
    if (isComplete && areHere) return undefined;
    return {
      errorCode: errorCodes.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: `each of the ${count - existing} new partitions is on broker ${NODE_ID}, which is the only one`,
    };
  };

  const create = async (topic: MorePartitions, validateOnly: boolean) => {
    const { name, count } = topic;
    try {
      const problem = problemWith(topic);
      if (problem !== undefined) return { name, ...problem };
      if (!validateOnly) await engine.alterTopic(name, { partitionCount: count });
      return { name, errorCode: errorCodes.NONE, errorMessage: null };
    } catch (error) {
      const { errorCode, message } = kafkaErrorOf(error);
      return { name, errorCode, errorMessage: message };
    }
  };

  return route(apis.createPartitions, async ({ topics, validateOnly }) => {
    const names = topics.map(({ name }) => name);
    const results = topics
      .filter(({ name }, at) => names.indexOf(name) === at)
      .map((topic) =>
        names.indexOf(topic.name) === names.lastIndexOf(topic.name)
          ? create(topic, validateOnly)
          : {
              name: topic.name,
              errorCode: errorCodes.INVALID_REQUEST,
              errorMessage: `'${topic.name}' is there twice in one request`,
            },
      );
    return { throttleTimeMs: 0, results: await Promise.all(results) };
  });
}

/** Records go before the offset, or up to the high watermark. As with Kafka not from topics that are only compacted. */
export function deleteRecordsRoute(engine: LogEngine): Route {
  const remove = async (topic: string, index: number, offset: bigint) => {
    const { log, errorCode } = findPartition(engine, topic, index);
    if (log === undefined) return { index, lowWatermark: -1n, errorCode };
    if (engine.topic(topic)?.settings['cleanup.policy'] === 'compact') {
      return { index, lowWatermark: -1n, errorCode: errorCodes.POLICY_VIOLATION };
    }
    try {
      return { index, lowWatermark: await log.deleteRecordsBefore(offset), errorCode };
    } catch (error) {
      return { index, lowWatermark: -1n, errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return route(apis.deleteRecords, async ({ topics }) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map(({ index, offset }) => remove(name, index, offset))),
      })),
    ),
  }));
}

/** There is one epoch, which never ends: its end is the end of what may be read. */
export function offsetForLeaderEpochRoute(engine: LogEngine): Route {
  const find = (topic: string, index: number, currentLeaderEpoch: number, leaderEpoch: number) => {
    const { log, errorCode } = findPartition(engine, topic, index);
    if (log === undefined) return { index, errorCode, ...UNKNOWN };
    if (currentLeaderEpoch > LEADER_EPOCH) return { index, errorCode: errorCodes.UNKNOWN_LEADER_EPOCH, ...UNKNOWN };
    const end = leaderEpoch === LEADER_EPOCH ? { leaderEpoch, endOffset: log.highWatermark } : UNKNOWN;
    return { index, errorCode, ...end };
  };

  return route(apis.offsetForLeaderEpoch, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, currentLeaderEpoch, leaderEpoch }) =>
        find(name, index, currentLeaderEpoch, leaderEpoch),
      ),
    })),
  }));
}
