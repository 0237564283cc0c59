import type { Consumer, ConsumerOptions, RecordChunk } from '../api.ts';
import { StreamError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { FetchLoop, type Position } from './fetch-loop.ts';
import { streamErrorOf } from './kafka-errors.ts';
import { startsOf } from './offsets.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_WAIT_MS = 500;

/** Reads the partitions that it is told to, with no group. */
export class KafkaConsumer implements Consumer {
  readonly #openCluster: () => Cluster;
  readonly #assignments: ConsumerOptions['assignments'];
  readonly #loop: FetchLoop;
  #started = false;
  #closed = false;

  constructor(openCluster: () => Cluster, options: ConsumerOptions) {
    this.#openCluster = openCluster;
    this.#assignments = options.assignments;
    this.#loop = new FetchLoop(openCluster, {
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
      if (!this.#closed) yield* this.#loop.chunks();
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#loop.close();
    }
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
    const cluster = this.#openCluster();
    try {
      await cluster.connect();
      await cluster.addMultipleTargetTopics(topics);
      return await startsOf(cluster, places);
    } catch (error) {
      throw streamErrorOf(error, `${topics.map((topic) => `'${topic}'`).join(', ')} cannot be read`);
    } finally {
      cluster.disconnect().catch(() => {});
    }
  }
}
