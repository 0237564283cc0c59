import { apis, errorCodes, NO_UUID, type RequestOf, type ResponseOf } from '@tickfold/kafka-protocol';
import { checkTopicSettings, type LogEngine, type TopicDescription, volumeOfTopic } from '@tickfold/log-engine';
import { collidingTopic } from '../colliding-topic.ts';
import { kafkaErrorOf } from '../engine-errors.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';
import { topicAnswers } from './configs.ts';

type NewTopic = RequestOf<typeof apis.createTopics>['topics'][number];

type CreatedTopic = ResponseOf<typeof apis.createTopics>['topics'][number];
type DoomedTopic = RequestOf<typeof apis.deleteTopics>['topics'][number];
type DeletedTopic = ResponseOf<typeof apis.deleteTopics>['topics'][number];

const BY_ID_SINCE = 6;

export function createTopicsRoute(
  engine: LogEngine,
  { defaultPartitionCount, partitionsPerTopic }: { defaultPartitionCount: number; partitionsPerTopic: number },
): Route {
  const create = async (topic: NewTopic, validateOnly: boolean): Promise<CreatedTopic> => {
    const { name } = topic;
    const partitionCount = partitionCountOf(topic, defaultPartitionCount);
    try {
      const problem = problemWith(engine, topic, partitionCount, partitionsPerTopic);
      if (problem !== undefined) return refused(name, problem.errorCode, problem.errorMessage);
      const set = topic.configs.filter(({ value }) => value !== null);
      const settings = Object.fromEntries(set.map((config) => [config.name, config.value!]));
      if (validateOnly) {
        volumeOfTopic(name);
        checkTopicSettings(settings);
      }
      return {
        name,
        topicId: validateOnly ? NO_UUID : (await engine.createTopic(name, { partitionCount, settings })).id,
        errorCode: errorCodes.NONE,
        errorMessage: null,
        partitionCount,
        replicationFactor: 1,
        configs: topicAnswers(settings),
      };
    } catch (error) {
      const { errorCode, message } = kafkaErrorOf(error);
      return refused(name, errorCode, message);
    }
  };

  return route(apis.createTopics, async (request) => {
    const names = request.topics.map(({ name }) => name);
    const twice = new Set(names.filter((name, at) => names.indexOf(name) !== at));
    const topics = await Promise.all(
      request.topics
        .filter(({ name }, at) => names.indexOf(name) === at)
        .map((topic) =>
          twice.has(topic.name)
            ? refused(topic.name, errorCodes.INVALID_REQUEST, `'${topic.name}' is there twice in one request`)
            : create(topic, request.validateOnly),
        ),
    );
    return { throttleTimeMs: 0, topics };
  });
}

export function deleteTopicsRoute(engine: LogEngine): Route {
  const remove = async ({ name: given, topicId }: DoomedTopic): Promise<DeletedTopic> => {
    const topic = given === null ? topicWithId(engine, topicId) : engine.topic(given);
    const name = topic?.name ?? given;
    const answer = { name, topicId: topic?.id ?? topicId, errorCode: errorCodes.NONE, errorMessage: null };
    if (name === null) return { ...answer, errorCode: errorCodes.UNKNOWN_TOPIC_ID };
    try {
      await engine.deleteTopic(name);
      return answer;
    } catch (error) {
      const { errorCode, message } = kafkaErrorOf(error);
      return { ...answer, errorCode, errorMessage: message };
    }
  };

  return route(apis.deleteTopics, async ({ topics, topicNames }, { version }) => {
    const doomed = version < BY_ID_SINCE ? topicNames.map((name) => ({ name, topicId: NO_UUID })) : topics;
    return { throttleTimeMs: 0, topics: await Promise.all(doomed.map(remove)) };
  });
}

function topicWithId(engine: LogEngine, id: Uint8Array): TopicDescription | undefined {
  return engine.topics().find((topic) => Buffer.compare(topic.id, id) === 0);
}

function refused(name: string, errorCode: number, errorMessage: string): CreatedTopic {
  return { name, topicId: NO_UUID, errorCode, errorMessage, partitionCount: -1, replicationFactor: -1, configs: null };
}

function partitionCountOf({ partitionCount, assignments }: NewTopic, fallback: number): number {
  if (partitionCount !== -1) return partitionCount;
  return assignments.length > 0 ? assignments.length : fallback;
}

function problemWith(
  engine: LogEngine,
  { name, replicationFactor, assignments }: NewTopic,
  partitionCount: number,
  partitionCountMax: number,
): { errorCode: number; errorMessage: string } | undefined {
  if (engine.topic(name) !== undefined) {
    return { errorCode: errorCodes.TOPIC_ALREADY_EXISTS, errorMessage: `topic '${name}' exists already` };
  }
  const other = collidingTopic(engine, name);
  if (other !== undefined) {
    return {
      errorCode: errorCodes.INVALID_TOPIC_EXCEPTION,
      errorMessage: `topic '${name}' collides with '${other}': their names differ in '.' and '_' only`,
    };
  }
  if (partitionCount < 1 || partitionCount > partitionCountMax) {
    return {
      errorCode: errorCodes.INVALID_PARTITIONS,
      errorMessage: `${partitionCount} partitions: a topic has 1 to ${partitionCountMax}`,
    };
  }
  if (replicationFactor !== -1 && replicationFactor !== 1) {
    return {
      errorCode: errorCodes.INVALID_REPLICATION_FACTOR,
      errorMessage: `replication factor ${replicationFactor}: there is one broker, so it is 1`,
    };
  }
  if (assignments.some(({ brokerIds }) => brokerIds.length !== 1 || brokerIds[0] !== NODE_ID)) {
    return {
      errorCode: errorCodes.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: `every partition is on broker ${NODE_ID}, which is the only one`,
    };
  }
  return undefined;
}
