import { setTimeout as delay } from 'node:timers/promises';
import type { Isolation, RecordChunk } from '../api.ts';
import { Deferred } from '../deferred.ts';
import { outOfRange, type StreamError } from '../errors.ts';
import { byLeader, byTopic, type Cluster, type ClusterBroker } from './cluster.ts';
import { type ClusterLink, isOutOfDate } from './cluster-link.ts';
import { type FetchedPartition, KafkaChunk, readableEnd } from './kafka-chunk.ts';
import { protocolErrorOf, streamErrorOf } from './kafka-errors.ts';
import { stableEndsOf, startsOf } from './offsets.ts';

export interface FetchLoopOptions {
  maxBytes: number;
  maxWaitMs: number;
  isolation: Isolation;
}

export interface Position {
  topic: string;
  partition: number;
  offset: bigint;
}

interface Lane extends Position {
  paused: boolean;
  /** How often it was sent elsewhere: what was asked for before does not count any more. */
  moves: number;
}

/** What one broker answered for one of the partitions that it leads. */
interface Fetched {
  lane: Lane;
  /** The one that was asked for. */
  offset: bigint;
  moves: number;
  partition: FetchedPartition;
  /** There is a batch at this offset, and compaction left no record in it. */
  isHollow: boolean;
}

/** A chunk that the reader has not seen yet. */
interface Taken {
  chunk: KafkaChunk;
  lane: Lane;
  moves: number;
}

interface Answer {
  leader: string;
  fetched: Fetched[];
}

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const MIN_PARTITION_BYTES = 64 * 1024;
/** A cluster gives up on a broker after 9 s and then elects: only after so long without one answer the reader is told. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 100;
/**
 * Reads partitions from where it is told, one request a leading broker on its way. While the reader works on one answer of
 * a broker, its next one is on its way; a third is asked for only when the reader comes back.
 */
export class FetchLoop {
  readonly #link: ClusterLink;
  readonly #options: FetchLoopOptions;
  readonly #lanes: Lane[] = [];
  readonly #inFlight = new Map<string, Promise<Answer>>();
  readonly #closed = new Deferred();
  #isClosed = false;
  /** Resolved when there may be something to fetch that was not there before, or never again. */
  #changed = new Deferred();
  #failingSinceMs: number | undefined;

  /** The link is closed with the loop. */
  constructor(link: ClusterLink, options: FetchLoopOptions) {
    this.#link = link;
    this.#options = options;
  }

  /** Replaces what is read. */
  assign(positions: readonly Position[]): void {
    this.#lanes.length = 0;
    for (const position of positions) this.#lanes.push({ ...position, paused: false, moves: 0 });
    this.#noteChange();
  }

  pause(topic: string, partition: number): void {
    for (const lane of this.#lanesAt(topic, partition)) lane.paused = true;
  }

  resume(topic: string, partition: number): void {
    for (const lane of this.#lanesAt(topic, partition)) lane.paused = false;
    this.#noteChange();
  }

  seek(topic: string, partition: number, offset: bigint): void {
    for (const lane of this.#lanesAt(topic, partition)) {
      lane.offset = offset;
      lane.moves++;
    }
    this.#noteChange();
  }

  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#noteChange();
    this.#inFlight.clear();
    this.#link.close();
  }

  /** @throws StreamError */
  async *chunks(): AsyncGenerator<RecordChunk, void, undefined> {
    while (!this.#isClosed) {
      const answer = await this.#next();
      if (answer === undefined) continue;
      const chunks = this.#take(answer);
      if (chunks.length === 0) continue;
      await this.#askAll().catch((error) => this.#recover(error));
      for (const chunk of chunks) {
        if (this.#isClosed) return;
        if (this.#isWanted(chunk)) yield chunk.chunk;
      }
    }
  }

  /** The next answer, or undefined where there was none to be had and another try is due. */
  async #next(): Promise<Answer | undefined> {
    try {
      await this.#askAll();
      // Not what lasts as long as the loop: each race would leave something behind on it.
      const changed = this.#changed.promise.then(() => undefined);
      const answer = await Promise.race([...this.#inFlight.values(), changed]);
      if (answer === undefined) return undefined;
      this.#inFlight.delete(answer.leader);
      this.#failingSinceMs = undefined;
      return answer;
    } catch (error) {
      await this.#recover(error);
      return undefined;
    }
  }

  /** Sends a request to each leader that has none on its way. */
  async #askAll(): Promise<void> {
    if (this.#isClosed) return;
    this.#changed = new Deferred();
    const lanes = this.#lanes.filter(({ paused }) => !paused);
    if (lanes.length === 0) return;
    const cluster = await this.#link.connected(new Set(lanes.map(({ topic }) => topic)));
    for (const [leader, led] of byLeader(cluster, lanes)) {
      if (this.#inFlight.has(leader)) continue;
      const answer = this.#ask(cluster, leader, led);
      // It may fail while the reader is busy elsewhere: whoever awaits it then is told.
      answer.catch(() => {});
      this.#inFlight.set(leader, answer);
    }
  }

  async #ask(cluster: Cluster, leader: string, lanes: Lane[]): Promise<Answer> {
    const broker = await cluster.findBroker({ nodeId: leader });
    const asked = lanes.map((lane) => {
      const { topic, partition, offset, moves } = lane;
      return { lane, topic, partition, offset, moves };
    });
    const places = new Map(asked.map((at) => [`${at.topic}/${at.partition}`, at]));
    const partitionBytes = Math.max(Math.ceil(this.#options.maxBytes / lanes.length), MIN_PARTITION_BYTES);
    const answers = await this.#fetch(broker, asked, partitionBytes, this.#options.maxWaitMs);
    const fetched: Fetched[] = answers.flatMap(({ topicName, partitions }) =>
      partitions.map((partition) => {
        const { lane, offset, moves } = places.get(`${topicName}/${partition.partition}`)!;
        return { lane, offset, moves, partition, isHollow: false };
      }),
    );
    if (fetched.every(({ partition }) => partition.messages.length === 0)) await this.#lookAgain(broker, fetched);
    return { leader, fetched };
  }

  /**
   * kafkajs hides batches without records. Where there is more to read and yet nothing came, the partition is asked for
   * by itself: a broker answers with at least one whole batch.
   */
  async #lookAgain(broker: ClusterBroker, fetched: Fetched[]): Promise<void> {
    for (const empty of fetched) {
      if (empty.offset >= readableEnd(empty.partition, this.#options.isolation)) continue;
      const at = { topic: empty.lane.topic, partition: empty.lane.partition, offset: empty.offset };
      const [answer] = await this.#fetch(broker, [at], this.#options.maxBytes, 0);
      empty.partition = answer!.partitions[0]!;
      empty.isHollow = empty.partition.messages.length === 0;
    }
  }

  async #fetch(broker: ClusterBroker, positions: Position[], partitionBytes: number, maxWaitTime: number) {
    const { maxBytes, isolation } = this.#options;
    const topics = byTopic(positions).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: partitionBytes,
      })),
    }));
    const isolationLevel = isolation === 'committed' ? READ_COMMITTED : READ_UNCOMMITTED;
    const { responses } = await broker.fetch({ isolationLevel, maxWaitTime, minBytes: 1, maxBytes, topics });
    return responses as { topicName: string; partitions: FetchedPartition[] }[];
  }

  #take({ fetched }: Answer): Taken[] {
    const taken: Taken[] = [];
    for (const { lane, offset, moves, partition, isHollow } of fetched) {
      // It was sent elsewhere, or taken away, while the answer was on its way.
      if (lane.paused || lane.moves !== moves || !this.#lanes.includes(lane)) continue;
      if (isHollow) lane.offset++;
      if (partition.messages.length === 0) continue;
      const chunk = new KafkaChunk(lane.topic, offset, partition, this.#options.isolation);
      lane.offset = chunk.nextOffset;
      taken.push({ chunk, lane, moves });
    }
    // Each partition is first in turn.
    if (this.#lanes.length > 1) this.#lanes.push(this.#lanes.shift()!);
    return taken;
  }

  /** False for what the reader does not want any more, since it paused, sought or was taken the partition. */
  #isWanted({ chunk, lane, moves }: Taken): boolean {
    if (!this.#lanes.includes(lane) || lane.moves !== moves) return false;
    if (!lane.paused) return true;
    lane.offset = chunk.fromOffset;
    lane.moves++;
    return false;
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isClosed) return;
    if (protocolErrorOf(error) === 'OFFSET_OUT_OF_RANGE') throw await this.#outOfRange(error);
    if (!isOutOfDate(error)) throw this.#told(error);
    this.#failingSinceMs ??= performance.now();
    if (performance.now() - this.#failingSinceMs > PATIENCE_MS) throw this.#told(error);
    this.#inFlight.clear();
    this.#link.drop();
    await Promise.race([delay(RETRY_MS), this.#closed.promise]);
  }

  async #outOfRange(error: unknown): Promise<StreamError> {
    const { topic, partition } = innermostPlace(error);
    const lane = this.#lanesAt(topic, partition)[0];
    if (lane === undefined) return this.#told(error);
    const cluster = await this.#link.connected([topic]);
    const [starts, ends] = await Promise.all([startsOf(cluster, [lane]), stableEndsOf(cluster, [lane])]);
    return outOfRange(lane, starts[0]!.offset, ends[0]!.offset);
  }

  #told(error: unknown): StreamError {
    const topics = [...new Set(this.#lanes.map(({ topic }) => `'${topic}'`))];
    return streamErrorOf(error, `${topics.join(', ')} cannot be read`);
  }

  #lanesAt(topic: string, partition: number): Lane[] {
    return this.#lanes.filter((lane) => lane.topic === topic && lane.partition === partition);
  }

  #noteChange(): void {
    this.#changed.resolve();
  }
}

function innermostPlace(error: unknown): { topic: string; partition: number } {
  const { topic, partition, cause } = error as { topic?: string; partition?: number; cause?: unknown };
  if (topic !== undefined && partition !== undefined) return { topic, partition };
  return cause === undefined ? { topic: '', partition: -1 } : innermostPlace(cause);
}
