import { apis, errorCodes, OPERATIONS_NOT_ASKED, type ResponseOf } from '@tickfold/kafka-protocol';
import type { LogEngine, TopicDescription } from '@tickfold/log-engine';
import { authorizedOperations } from '../authorized-operations.ts';
import { collidingTopic } from '../colliding-topic.ts';
import { kafkaErrorOf } from '../engine-errors.ts';
import { CLUSTER_ID, LEADER_EPOCH, NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type TopicAnswer = ResponseOf<typeof apis.metadata>['topics'][number];

/** One broker, which leads everything, at the address that fits the listener that the client came in through. */
export function metadataRoute(
  engine: LogEngine,
  settings: { autoCreateTopics: boolean; defaultPartitionCount: number },
): Route {
  const findOrCreate = async (name: string, mayCreate: boolean): Promise<TopicAnswer> => {
    try {
      const topic = engine.topic(name);
      if (topic !== undefined) return describe(topic);
      if (!mayCreate) return failed(name, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      if (collidingTopic(engine, name) !== undefined) return failed(name, errorCodes.INVALID_TOPIC_EXCEPTION);
      return describe(await engine.createTopic(name, { partitionCount: settings.defaultPartitionCount }));
    } catch (error) {
      const { errorCode } = kafkaErrorOf(error);
      // Another client may have been faster.
      const made = errorCode === errorCodes.TOPIC_ALREADY_EXISTS ? engine.topic(name) : undefined;
      return made === undefined ? failed(name, errorCode) : describe(made);
    }
  };

  return route(apis.metadata, async (request, { version, advertisedHost, advertisedPort }) => {
    const asksForAll = request.topics === null || (version === 0 && request.topics.length === 0);
    const mayCreate = settings.autoCreateTopics && request.allowAutoTopicCreation;
    const names = new Set(request.topics?.map(({ name }) => name));
    const topics = asksForAll
      ? engine.topics().map(describe)
      : await Promise.all([...names].map((name) => findOrCreate(name, mayCreate)));
    return {
      throttleTimeMs: 0,
      brokers: [{ nodeId: NODE_ID, host: advertisedHost, port: advertisedPort, rack: null }],
      clusterId: CLUSTER_ID,
      controllerId: NODE_ID,
      topics: request.includeTopicAuthorizedOperations ? topics.map(withOperations) : topics,
      clusterAuthorizedOperations: authorizedOperations('cluster', request.includeClusterAuthorizedOperations),
    };
  });
}

function describe({ name, partitionCount }: TopicDescription): TopicAnswer {
  return {
    ...failed(name, errorCodes.NONE),
    partitions: Array.from({ length: partitionCount }, (_, index) => ({
      errorCode: errorCodes.NONE,
      index,
      leaderId: NODE_ID,
      leaderEpoch: LEADER_EPOCH,
      replicaNodes: [NODE_ID],
      isrNodes: [NODE_ID],
      offlineReplicas: [],
    })),
  };
}

function withOperations(topic: TopicAnswer): TopicAnswer {
  return { ...topic, authorizedOperations: authorizedOperations('topic', topic.errorCode === errorCodes.NONE) };
}

function failed(name: string, errorCode: number): TopicAnswer {
  return { errorCode, name, isInternal: false, partitions: [], authorizedOperations: OPERATIONS_NOT_ASKED };
}
