import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import { checkTopicSettings, type LogEngine, volumeOfTopic } from '@tickfold/log-engine';
import { kafkaErrorOf } from '../engine-errors.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type NewTopic = RequestOf<typeof apis.createTopics>['topics'][number];

interface Outcome {
  name: string;
  errorCode: number;
  errorMessage: string | null;
}

export function createTopicsRoute(
  engine: LogEngine,
  { defaultPartitionCount, partitionsPerTopic }: { defaultPartitionCount: number; partitionsPerTopic: number },
): Route {
  const create = async (topic: NewTopic, validateOnly: boolean): Promise<Outcome> => {
    const { name } = topic;
    const partitionCount = partitionCountOf(topic, defaultPartitionCount);
    try {
      const problem = problemWith(engine, topic, partitionCount, partitionsPerTopic);
      if (problem !== undefined) return { name, ...problem };
      const set = topic.configs.filter(({ value }) => value !== null);
      const settings = Object.fromEntries(set.map((config) => [config.name, config.value!]));
      if (validateOnly) {
        volumeOfTopic(name);
        checkTopicSettings(settings);
      } else {
        await engine.createTopic(name, { partitionCount, settings });
      }
      return { name, errorCode: errorCodes.NONE, errorMessage: null };
    } catch (error) {
      const { errorCode, message } = kafkaErrorOf(error);
      return { name, errorCode, errorMessage: message };
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
            ? {
                name: topic.name,
                errorCode: errorCodes.INVALID_REQUEST,
                errorMessage: `'${topic.name}' is there twice in one request`,
              }
            : create(topic, request.validateOnly),
        ),
    );
    return { throttleTimeMs: 0, topics };
  });
}

export function deleteTopicsRoute(engine: LogEngine): Route {
  const remove = async (name: string) => {
    try {
      await engine.deleteTopic(name);
      return { name, errorCode: errorCodes.NONE };
    } catch (error) {
      return { name, errorCode: kafkaErrorOf(error).errorCode };
    }
  };
  return route(apis.deleteTopics, async ({ topics }) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(topics.map(remove)),
  }));
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
