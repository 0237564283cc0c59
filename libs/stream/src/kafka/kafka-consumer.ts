import type { Consumer, ConsumerOptions, RecordChunk, TopicPartition } from '../api.ts';
import { StreamError } from '../errors.ts';
import { notAssigned } from '../positions.ts';
import type { Cluster } from './cluster.ts';
import { ClusterLink, persistently } from './cluster-link.ts';
import { FetchLoop, type Position } from './fetch-loop.ts';
import { streamErrorOf } from './kafka-errors.ts';
import { startsOf } from './offsets.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_WAIT_MS = 500;
/** Of the question where the logs start. */
const PATIENCE_MS = 30_000;

/** Reads the partitions that it is told to, with no group. */
export class KafkaConsumer implements Consumer {
  readonly #link: ClusterLink;
  /** With the places that were sought before the start. */
  readonly #assignments: ConsumerOptions['assignments'];
  /** Before the start. */
  readonly #paused = new Set<string>();
  readonly #loop: FetchLoop;
  #started = false;
  #isAssigned = false;
  #closed = false;
  #isCutOff = false;

  constructor(openCluster: () => Cluster, options: ConsumerOptions) {
    this.#link = new ClusterLink(openCluster);
    this.#assignments = options.assignments.map((assignment) => ({ ...assignment }));
    this.#loop = new FetchLoop(this.#link, {
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      maxWaitMs: options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
      isolation: options.isolation ?? 'committed',
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    if (this.#started) throw new StreamError('closed', 'a consumer can be looped over once');
    this.#started = true;
    try {
      if (this.#assignments.length === 0) return;
      this.#loop.assign(await this.#startPositions());
      this.#isAssigned = true;
      for (const { topic, partition } of this.#assignments) {
        if (this.#paused.has(`${topic}/${partition}`)) this.#loop.pause(topic, partition);
      }
      if (!this.#closed) yield* this.#loop.chunks();
      if (this.#isCutOff) throw new StreamError('closed', 'this client was closed');
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#loop.close();
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      this.#mustRead(at);
      if (this.#isAssigned) this.#loop.pause(at.topic, at.partition);
      else this.#paused.add(`${at.topic}/${at.partition}`);
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      this.#mustRead(at);
      if (this.#isAssigned) this.#loop.resume(at.topic, at.partition);
      else this.#paused.delete(`${at.topic}/${at.partition}`);
    }
  }

  seek({ offset, ...at }: TopicPartition & { offset: bigint }): void {
    const assignment = this.#mustRead(at);
    if (this.#isAssigned) this.#loop.seek(at.topic, at.partition, offset);
    else assignment.offset = offset;
  }

  #mustRead({ topic, partition }: TopicPartition): ConsumerOptions['assignments'][number] {
    const found = this.#assignments.find((one) => one.topic === topic && one.partition === partition);
    if (found === undefined) throw notAssigned(topic, partition);
    return found;
  }

  get whenClosed(): Promise<void> {
    return this.#loop.whenClosed;
  }

  /** The loop ends with the error `closed`, as the client was closed under it. */
  cutOff(): void {
    this.#isCutOff = !this.#closed;
    this.#loop.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#loop.close();
  }

  async #startPositions(): Promise<Position[]> {
    const unknown = this.#assignments.filter(({ offset }) => offset === undefined);
    const starts = unknown.length === 0 ? [] : await this.#logStarts(unknown);
    const startAt = new Map(starts.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    return this.#assignments.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: offset ?? startAt.get(`${topic}/${partition}`)!,
    }));
  }

  async #logStarts(places: { topic: string; partition: number }[]): Promise<Position[]> {
    const topics = [...new Set(places.map(({ topic }) => topic))];
    try {
      return await persistently(this.#link, { topics, patienceMs: PATIENCE_MS }, (cluster) =>
        startsOf(cluster, places),
      );
    } catch (error) {
      throw streamErrorOf(error, `${topics.map((topic) => `'${topic}'`).join(', ')} cannot be read`);
    }
  }
}
