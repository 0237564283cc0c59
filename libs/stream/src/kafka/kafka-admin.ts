import type { Admin } from 'kafkajs';
import type { StreamAdmin, TopicSpec, Watermark } from '../api.ts';
import { partitionMismatch, StreamError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { type ClusterLink, persistently } from './cluster-link.ts';
import { askGroup } from './coordinator.ts';
import { protocolErrorOf, streamErrorOf } from './kafka-errors.ts';
import { offsetsFrom, stableEndsOf, startsOf } from './offsets.ts';

/** Event times of old and simulated days must neither be deleted as too old nor refused as too new. */
const TOPIC_SETTINGS: Readonly<Record<string, string>> = {
  'retention.ms': '-1',
  'message.timestamp.after.max.ms': '9223372036854775807',
};
const CLUSTER_DEFAULT = -1;
const CREATE_TIMEOUT_MS = 30_000;
/** How long a topic may take to be known to the broker that is asked. */
const PROPAGATION_MS = 10_000;
const POLL_MS = 50;
/** Of a single question to a cluster that changes. */
const PATIENCE_MS = 30_000;
const UNKNOWN_TOPIC = 'UNKNOWN_TOPIC_OR_PARTITION';
const NO_OFFSET = -1n;
/** Topics of Kafka's own begin so: `__consumer_offsets`, `__transaction_state`. */
const INTERNAL = '__';

/** What a coordinator is told by a client that is no member of the group. */
const NO_MEMBER = { groupGenerationId: -1, memberId: '' };

export class KafkaAdmin implements StreamAdmin {
  readonly #admin: Admin;
  readonly #link: ClusterLink;
  readonly #replicationFactor: number;
  /** Topics that are asked for in this turn of the event loop: one request for all of them. */
  #asked: { names: string[]; known: Promise<Cluster> } | undefined;

  /** Both are connected. */
  constructor(admin: Admin, link: ClusterLink, replicationFactor: number | undefined) {
    this.#admin = admin;
    this.#link = link;
    this.#replicationFactor = replicationFactor ?? CLUSTER_DEFAULT;
  }

  async ensureTopics(topics: TopicSpec[]): Promise<void> {
    const existing = new Set((await this.topics()).map(({ name }) => name));
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) await this.#create(missing);
    const deadline = performance.now() + PROPAGATION_MS;
    for (;;) {
      // Asked again, as another app may have made one of them in between.
      const found = new Map((await this.topics()).map(({ name, partitionCount }) => [name, partitionCount]));
      for (const { name, partitionCount } of topics) {
        const actual = found.get(name);
        if (actual !== undefined && actual !== partitionCount) throw partitionMismatch(name, actual, partitionCount);
      }
      const late = topics.find(({ name }) => !found.has(name));
      if (late === undefined) return;
      if (performance.now() > deadline) {
        throw new StreamError('unavailable', `topic '${late.name}' was made but is not there yet`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async topics(): Promise<{ name: string; partitionCount: number }[]> {
    const { topics } = await this.#asking('the topics cannot be listed', () => this.#admin.fetchTopicMetadata());
    return topics
      .filter(({ name }) => !name.startsWith(INTERNAL))
      .map(({ name, partitions }) => ({ name, partitionCount: partitions.length }));
  }

  async watermarks(topic: string): Promise<Watermark[]> {
    return this.#ofPartitions(topic, async (cluster, places) => {
      const [starts, ends] = await Promise.all([startsOf(cluster, places), stableEndsOf(cluster, places)]);
      return places.map(({ partition }, i) => ({ partition, logStart: starts[i]!.offset, high: ends[i]!.offset }));
    });
  }

  async committedOffsets(group: string, topic: string): Promise<Map<number, bigint>> {
    return this.#asking(`the offsets of group '${group}' cannot be read`, async () => {
      // All that it has: so the topic need not be known to the cluster yet, which takes a question of its own.
      const { responses } = await askGroup(this.#link, group, (coordinator) =>
        coordinator.offsetFetch({ groupId: group, topics: [] }),
      );
      const offsets = new Map<number, bigint>();
      for (const { partition, offset } of responses.find((of) => of.topic === topic)?.partitions ?? []) {
        if (BigInt(offset) !== NO_OFFSET) offsets.set(partition, BigInt(offset));
      }
      return offsets;
    });
  }

  async commitOffsets(group: string, topic: string, offsets: Map<number, bigint>): Promise<void> {
    if (offsets.size === 0) return;
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await this.#asking(`offsets of group '${group}' were not committed`, async () => {
      await askGroup(this.#link, group, (coordinator) =>
        coordinator.offsetCommit({ groupId: group, ...NO_MEMBER, topics: [{ topic, partitions }] }),
      );
    });
  }

  async offsetsAtTime(topic: string, timestampMs: number): Promise<Map<number, bigint>> {
    return this.#ofPartitions(topic, async (cluster, places) => {
      const [ends, found] = await Promise.all([
        stableEndsOf(cluster, places),
        offsetsFrom(cluster, places, timestampMs),
      ]);
      return new Map(
        places.map(({ partition }, i) => [partition, found[i]!.offset < 0n ? ends[i]!.offset : found[i]!.offset]),
      );
    });
  }

  async groups(): Promise<string[]> {
    const { groups } = await this.#asking('the groups cannot be listed', () => this.#admin.listGroups());
    return groups.map(({ groupId }) => groupId);
  }

  /** @throws StreamError `unknown-topic` */
  async partitionCount(topic: string): Promise<number> {
    return this.#asking(`'${topic}' cannot be asked for`, async () => {
      // It may be another one of those that were asked for that does not exist.
      const cluster = await this.#know(topic).catch((error) => this.#unlessUnknown(error, topic));
      const { length } = cluster?.findTopicPartitionMetadata(topic) ?? [];
      if (length === 0) throw new StreamError('unknown-topic', `there is no topic '${topic}'`);
      return length;
    });
  }

  #know(topic: string): Promise<Cluster> {
    if (this.#asked === undefined) {
      const names: string[] = [];
      const known = Promise.resolve().then(() => {
        this.#asked = undefined;
        return this.#clusterThatKnows(names);
      });
      this.#asked = { names, known };
    }
    this.#asked.names.push(topic);
    return this.#asked.known;
  }

  async #unlessUnknown(error: unknown, topic: string): Promise<Cluster | undefined> {
    if (protocolErrorOf(error) !== UNKNOWN_TOPIC) throw error;
    return this.#clusterThatKnows([topic]).catch((alone: unknown) => {
      if (protocolErrorOf(alone) !== UNKNOWN_TOPIC) throw alone;
      return undefined;
    });
  }

  #clusterThatKnows(topics: readonly string[]): Promise<Cluster> {
    return persistently(this.#link, { topics, patienceMs: PATIENCE_MS }, async (cluster) => cluster);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#asking(`topics were not deleted: ${names.join(', ')}`, () =>
      this.#admin.deleteTopics({ topics: [...names] }),
    );
  }

  async deleteGroups(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#asking(`groups were not deleted: ${names.join(', ')}`, () => this.#admin.deleteGroups([...names]));
  }

  async #create(topics: TopicSpec[]): Promise<void> {
    const names = topics.map(({ name }) => `'${name}'`).join(', ');
    await this.#asking(`topics were not made: ${names}`, async () => {
      try {
        await this.#admin.createTopics({
          timeout: CREATE_TIMEOUT_MS,
          // kafkajs fails where the broker that it asks does not know them at once.
          waitForLeaders: false,
          topics: topics.map(({ name, partitionCount, settings }) => ({
            topic: name,
            numPartitions: partitionCount,
            replicationFactor: this.#replicationFactor,
            configEntries: Object.entries({ ...TOPIC_SETTINGS, ...settings }).map(([key, value]) => ({
              name: key,
              value,
            })),
          })),
        });
      } catch (error) {
        if (!isAllThere(error)) throw error;
      }
    });
  }

  async #ofPartitions<T>(
    topic: string,
    ask: (cluster: Cluster, places: { topic: string; partition: number }[]) => Promise<T>,
  ): Promise<T> {
    const partitionCount = await this.partitionCount(topic);
    const places = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
    return this.#asking(`the offsets of '${topic}' cannot be listed`, () =>
      persistently(this.#link, { topics: [topic], patienceMs: PATIENCE_MS }, (cluster) => ask(cluster, places)),
    );
  }

  async #asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw streamErrorOf(error, what);
    }
  }
}

/** True where nothing else went wrong than that another app was quicker. */
function isAllThere(error: unknown): boolean {
  const { errors, cause } = error as { errors?: { type?: string }[]; cause?: unknown };
  if (errors !== undefined) return errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS');
  return cause !== undefined && isAllThere(cause);
}
