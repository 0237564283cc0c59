import { setTimeout as delay } from 'node:timers/promises';
import { StreamError } from '../errors.ts';
import { type Cluster, NoMetadata, UnknownPartition } from './cluster.ts';
import { isConnectionLoss, protocolErrorOf } from './kafka-errors.ts';

const MIN_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 500;
const NEW_TOPIC_MS = 1_000;
/** A broker that is busy with many new partitions leads the last of them so late. */
const NEW_LEADER_MS = 10_000;

/** These end by asking for the leaders again. */
const STALE = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
]);

/** These pass by themselves. kafkajs has older names for those of coordinators. */
const PASSING = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'UNSTABLE_OFFSET_COMMIT',
  'CONCURRENT_TRANSACTIONS',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
]);

/** True where a broker, or its place in the cluster, changed: new connections find the ones of now. */
export function isOutOfDate(error: unknown): boolean {
  const protocolError = protocolErrorOf(error);
  return isConnectionLoss(error) || (protocolError !== undefined && STALE.has(protocolError));
}

/**
 * Connections to a cluster that are replaced as a whole when one of them fails: kafkajs' own repair gives up where a
 * broker that restarts refuses the first attempt.
 */
export class ClusterLink {
  readonly #open: () => Cluster;
  #cluster: Cluster | undefined;
  /** Topics whose leaders the connections know. */
  readonly #known = new Set<string>();
  #isClosed = false;

  constructor(open: () => Cluster) {
    this.#open = open;
  }

  /** @throws what kafkajs throws; StreamError `closed` */
  async connected(topics: Iterable<string> = []): Promise<Cluster> {
    if (this.#isClosed) throw new StreamError('closed', 'this was closed');
    if (this.#cluster === undefined) {
      this.#cluster = this.#open();
      this.#known.clear();
    }
    const cluster = this.#cluster;
    try {
      await cluster.connect();
      const wanted = [...topics];
      const unknown = wanted.filter((topic) => !this.#known.has(topic));
      if (unknown.length > 0) {
        await meet(cluster, unknown);
        if (cluster === this.#cluster) for (const topic of unknown) this.#known.add(topic);
      } else {
        await cluster.refreshMetadataIfNecessary();
      }
      // kafkajs keeps the answer that came last, though it may have been asked for before these topics were.
      if (missing(cluster, wanted) !== undefined) await cluster.refreshMetadata();
      const lost = missing(cluster, wanted);
      if (lost !== undefined) throw new NoMetadata(lost);
      return cluster;
    } catch (error) {
      if (isOutOfDate(error)) this.drop(cluster);
      throw error;
    }
  }

  /** The next `connected` opens new connections. */
  drop(cluster: Cluster | undefined = this.#cluster): void {
    if (cluster === this.#cluster) this.#cluster = undefined;
    cluster?.disconnect().catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.drop();
  }
}

/** Makes the leaders of topics known. One that was made a moment ago may be news to the broker that is asked. */
async function meet(cluster: Cluster, topics: string[]): Promise<void> {
  const deadline = performance.now() + NEW_TOPIC_MS;
  for (;;) {
    try {
      await cluster.addMultipleTargetTopics(topics);
      return;
    } catch (error) {
      if (protocolErrorOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION' || performance.now() > deadline) throw error;
    }
    await delay(MIN_BACKOFF_MS);
  }
}

/** The first topic of which the cluster said nothing. */
function missing(cluster: Cluster, topics: readonly string[]): string | undefined {
  return topics.find((topic) => cluster.findTopicPartitionMetadata(topic).length === 0);
}

function isUnknownToBroker(error: unknown): boolean {
  return protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION' && !(error instanceof UnknownPartition);
}

export interface Patience {
  topics?: readonly string[];
  /** How long what fails in passing is tried again. */
  patienceMs: number;
}

/** Does it again where the cluster changed under it, or was not ready. What is done may be done twice. */
export async function persistently<T>(
  link: ClusterLink,
  { topics = [], patienceMs }: Patience,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  const deadline = startedAtMs + patienceMs;
  let backoffMs = MIN_BACKOFF_MS;
  for (;;) {
    let cluster: Cluster | undefined;
    try {
      cluster = await link.connected(topics);
      return await work(cluster);
    } catch (error) {
      const isOld = isOutOfDate(error);
      // A topic that the cluster knows can be news to the broker that is to lead it.
      const isNews =
        cluster !== undefined && isUnknownToBroker(error) && performance.now() - startedAtMs < NEW_LEADER_MS;
      const passes = isOld || isNews || PASSING.has(protocolErrorOf(error) ?? '');
      if (!passes || performance.now() + backoffMs > deadline) throw error;
      if (isOld && cluster !== undefined) link.drop(cluster);
    }
    await delay(backoffMs);
    backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
  }
}
