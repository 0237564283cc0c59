/**
 * kafkajs as a library of connections: it knows brokers, leaders, coordinators, SASL and TLS. Its own consumer is not used
 * (docs/kafka-engine.md says why), but every partition assigner is handed the consumer's `Cluster`, which is public and
 * does what is needed here.
 */
import type { Broker, Kafka, Cluster as KafkaJsCluster, Message } from 'kafkajs';

/** Who writes, as the cluster knows it. */
export interface ProducerIdentity {
  producerId: string;
  producerEpoch: number;
}

interface InTransaction extends ProducerIdentity {
  transactionalId: string;
}

interface TopicPlaces {
  topic: string;
  partitions: number[];
}

/** What `Broker` has beside what kafkajs' types show. */
export interface ClusterBroker extends Omit<Broker, 'produce'> {
  produce(request: {
    transactionalId?: string | undefined;
    producerId?: string | undefined;
    producerEpoch?: number | undefined;
    acks: -1 | 1;
    timeout: number;
    topicData: { topic: string; partitions: { partition: number; firstSequence: number; messages: Message[] }[] }[];
  }): Promise<unknown>;
  listOffsets(request: {
    /** 0: with open transactions, 1: up to the first of them. */
    isolationLevel: 0 | 1;
    topics: { topic: string; partitions: { partition: number; timestamp: string }[] }[];
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  initProducerId(request: {
    transactionalId?: string | undefined;
    transactionTimeout: number;
  }): Promise<ProducerIdentity>;
  addPartitionsToTxn(request: InTransaction & { topics: TopicPlaces[] }): Promise<unknown>;
  addOffsetsToTxn(request: InTransaction & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(
    request: InTransaction & {
      groupId: string;
      topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
    },
  ): Promise<unknown>;
  endTxn(request: InTransaction & { transactionResult: boolean }): Promise<unknown>;
}

/** Makes the request of one version from its fields. */
type MakeRequest = (fields: object) => unknown;

/**
 * The broker, asked as a static member of a group (KIP-345): kafkajs' requests know the name of one, but the methods that
 * send them have no place for it.
 */
export function asInstance(broker: ClusterBroker, groupInstanceId: string): ClusterBroker {
  const { lookupRequest } = broker as unknown as { lookupRequest: (...api: unknown[]) => MakeRequest };
  const value = (...api: unknown[]): MakeRequest => {
    const make = lookupRequest(...api);
    return (fields) => make({ ...fields, groupInstanceId });
  };
  return Object.create(broker, { lookupRequest: { value } }) as ClusterBroker;
}

export interface Cluster extends Omit<KafkaJsCluster, 'findBroker' | 'findGroupCoordinator' | 'findControllerBroker'> {
  findBroker(node: { nodeId: string }): Promise<ClusterBroker>;
  findControllerBroker(): Promise<ClusterBroker>;
  findGroupCoordinator(of: { groupId: string; coordinatorType?: number }): Promise<ClusterBroker>;
}

/** Connections of their own, not opened yet. */
export function newCluster(kafka: Kafka): Cluster {
  let found: KafkaJsCluster | undefined;
  kafka.consumer({
    groupId: 'none',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return { name: 'none', version: 0, assign: async () => [], protocol: () => ({ name: '', metadata: NOTHING }) };
      },
    ],
  });
  return found as unknown as Cluster;
}

const NOTHING = Buffer.alloc(0);

/** Partitions by the broker that leads them. @throws NoMetadata; UnknownPartition */
export function byLeader<At extends { topic: string; partition: number }>(
  cluster: Cluster,
  partitions: readonly At[],
): Map<string, At[]> {
  const leaders = new Map<string, Map<number, string>>();
  const found = new Map<string, At[]>();
  for (const at of partitions) {
    let ofTopic = leaders.get(at.topic);
    if (ofTopic === undefined) {
      const metadata = cluster.findTopicPartitionMetadata(at.topic);
      ofTopic = new Map(metadata.map(({ partitionId, leader }) => [partitionId, String(leader)]));
      leaders.set(at.topic, ofTopic);
    }
    if (ofTopic.size === 0) throw new NoMetadata(at.topic);
    const leader = ofTopic.get(at.partition);
    if (leader === undefined) throw new UnknownPartition(at.topic, at.partition, ofTopic.size);
    const led = found.get(leader);
    if (led === undefined) found.set(leader, [at]);
    else led.push(at);
  }
  return found;
}

/** What kafkajs knows of the cluster says nothing of a topic that it was told to know: asked again, it will. */
export class NoMetadata extends Error {
  readonly type = 'LEADER_NOT_AVAILABLE';

  constructor(topic: string) {
    super(`the cluster has not said yet where '${topic}' lies`);
  }
}

export class UnknownPartition extends Error {
  readonly type = 'UNKNOWN_TOPIC_OR_PARTITION';

  constructor(topic: string, partition: number, partitionCount: number) {
    super(`'${topic}' has no partition ${partition}: it has ${partitionCount}`);
  }
}

/** Groups what belongs to partitions by topic, as requests list it. */
export function byTopic<At extends { topic: string }>(
  partitions: readonly At[],
): { topic: string; partitions: At[] }[] {
  const topics = new Map<string, At[]>();
  for (const at of partitions) {
    const listed = topics.get(at.topic);
    if (listed === undefined) topics.set(at.topic, [at]);
    else listed.push(at);
  }
  return [...topics].map(([topic, listed]) => ({ topic, partitions: listed }));
}
