import { setTimeout as delay } from 'node:timers/promises';
import type { StreamAdmin, TopicSpec, Watermark } from './api.ts';
import type { Connection } from './connection.ts';
import { partitionMismatch, StreamError } from './errors.ts';
import {
  commitOffsets,
  committedOffsets,
  createTopics,
  deleteGroups,
  deleteTopics,
  describeTopics,
  listGroups,
  listOffsets,
  type TopicSummary,
} from './requests.ts';

/** How long a topic that another one makes may take. */
const PROPAGATION_MS = 10_000;
const POLL_MS = 20;

export class EmbeddedAdmin implements StreamAdmin {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async ensureTopics(topics: TopicSpec[]): Promise<void> {
    const names = topics.map(({ name }) => name);
    const existing = new Set((await describeTopics(this.#connection, names)).map(({ name }) => name));
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) await createTopics(this.#connection, missing);
    // Asked again, as another app may have made one of them in between, or is just making it.
    const deadline = performance.now() + PROPAGATION_MS;
    for (;;) {
      const found = new Map((await describeTopics(this.#connection, names)).map((topic) => [topic.name, topic]));
      for (const { name, partitionCount } of topics) {
        const actual = found.get(name)?.partitionCount ?? partitionCount;
        if (actual !== partitionCount) throw partitionMismatch(name, actual, partitionCount);
      }
      const late = topics.find(({ name }) => !found.has(name));
      if (late === undefined) return;
      if (performance.now() > deadline) {
        throw new StreamError('unavailable', `topic '${late.name}' was made but is not there yet`);
      }
      await delay(POLL_MS);
    }
  }

  topics(): Promise<TopicSummary[]> {
    return describeTopics(this.#connection);
  }

  async watermarks(topic: string): Promise<Watermark[]> {
    const partitionCount = await this.partitionCount(topic);
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
    const [starts, ends] = await Promise.all([
      listOffsets(this.#connection, 'earliest', partitions),
      listOffsets(this.#connection, 'latest', partitions),
    ]);
    const offsetIn = (list: typeof starts, partition: number) =>
      list.find((entry) => entry.partition === partition)!.offset;
    return partitions.map(({ partition }) => ({
      partition,
      logStart: offsetIn(starts, partition),
      high: offsetIn(ends, partition),
    }));
  }

  committedOffsets(group: string, topic: string): Promise<Map<number, bigint>> {
    return committedOffsets(this.#connection, group, topic);
  }

  async commitOffsets(group: string, topic: string, offsets: Map<number, bigint>): Promise<void> {
    if (offsets.size > 0) await commitOffsets(this.#connection, group, topic, offsets);
  }

  async offsetsAtTime(topic: string, timestampMs: number): Promise<Map<number, bigint>> {
    const ends = await this.watermarks(topic);
    const partitions = ends.map(({ partition }) => ({ topic, partition }));
    const found = await listOffsets(this.#connection, { timestampMs }, partitions);
    const offsets = new Map(ends.map(({ partition, high }) => [partition, high]));
    for (const { partition, offset } of found) if (offset >= 0n) offsets.set(partition, offset);
    return offsets;
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length > 0) await deleteTopics(this.#connection, names);
  }

  async deleteGroups(names: readonly string[]): Promise<void> {
    if (names.length > 0) await deleteGroups(this.#connection, names);
  }

  groups(): Promise<string[]> {
    return listGroups(this.#connection);
  }

  /** @throws StreamError `unknown-topic` */
  async partitionCount(topic: string): Promise<number> {
    const [found] = await describeTopics(this.#connection, [topic]);
    if (found === undefined) throw new StreamError('unknown-topic', `there is no topic '${topic}'`);
    return found.partitionCount;
  }
}
