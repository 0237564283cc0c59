import { type CommittedOffset, EngineError } from '@tickfold/log-engine';
import { partitionMismatch, type StreamAdmin, type TopicSpec, type Watermark } from '@tickfold/stream';
import { streamErrorOf } from './engine-errors.ts';
import type { Logs } from './logs.ts';

/** Leadership never moves in a log of one. */
const LEADER_EPOCH = 0;

export class InProcessAdmin implements StreamAdmin {
  readonly #logs: Logs;

  constructor(logs: Logs) {
    this.#logs = logs;
  }

  async ensureTopics(topics: TopicSpec[]): Promise<void> {
    for (const topic of topics) {
      if (this.#logs.findTopic(topic.name) === undefined) await this.#create(topic);
      const { partitionCount } = this.#logs.topic(topic.name);
      if (partitionCount !== topic.partitionCount) {
        throw partitionMismatch(topic.name, partitionCount, topic.partitionCount);
      }
    }
  }

  async topics(): Promise<{ name: string; partitionCount: number }[]> {
    return this.#logs.topics().map(({ name, partitionCount }) => ({ name, partitionCount }));
  }

  async watermarks(topic: string): Promise<Watermark[]> {
    const { partitionCount } = this.#logs.topic(topic);
    return Array.from({ length: partitionCount }, (_, partition) => {
      const { logStartOffset, lastStableOffset } = this.#logs.partition(topic, partition);
      return { partition, logStart: logStartOffset, high: lastStableOffset };
    });
  }

  async offsetsAtTime(topic: string, timestampMs: number): Promise<Map<number, bigint>> {
    const offsets = new Map<number, bigint>();
    for (const { partition, high } of await this.watermarks(topic)) {
      const found = await this.#logs.partition(topic, partition).offsetForTimestamp(BigInt(timestampMs), 'committed');
      offsets.set(partition, found?.offset ?? high);
    }
    return offsets;
  }

  /** What was committed here goes before what was read along. */
  async committedOffsets(group: string, topic: string): Promise<Map<number, bigint>> {
    const { reader, engine } = this.#logs;
    const committed = [...reader.committedOffsets(group), ...(engine?.committedOffsets(group) ?? [])];
    const offsets = committed.filter((entry) => entry.topic === topic);
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
  }

  async commitOffsets(group: string, topic: string, offsets: Map<number, bigint>): Promise<void> {
    const engine = this.#logs.writable(`commit offsets of group '${group}'`);
    try {
      await engine.commitOffsets(group, offsetRows(topic, offsets));
    } catch (error) {
      throw streamErrorOf(error);
    }
  }

  async groups(): Promise<string[]> {
    const { reader, engine } = this.#logs;
    return [...new Set([...reader.groupsWithOffsets(), ...(engine?.groupsWithOffsets() ?? [])])];
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const engine = this.#logs.writable(`delete topic '${name}'`);
      await engine.deleteTopic(name).catch((error: unknown) => {
        throw streamErrorOf(error);
      });
    }
  }

  async deleteGroups(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const engine = this.#logs.writable(`delete group '${name}'`);
      await engine.deleteGroupOffsets(name).catch((error: unknown) => {
        throw streamErrorOf(error);
      });
    }
  }

  async #create({ name, partitionCount, settings = {} }: TopicSpec): Promise<void> {
    const engine = this.#logs.writable(`make topic '${name}'`);
    try {
      await engine.createTopic(name, { partitionCount, settings });
    } catch (error) {
      // Another part of this process may have made it in between.
      if (error instanceof EngineError && error.code === 'topic-exists') return;
      throw streamErrorOf(error);
    }
  }
}

export function offsetRows(topic: string, offsets: ReadonlyMap<number, bigint>): CommittedOffset[] {
  return Array.from(offsets, ([partition, offset]) => ({
    topic,
    partition,
    offset,
    leaderEpoch: LEADER_EPOCH,
    metadata: '',
  }));
}
