import type { Consumer, ConsumerOptions, RecordChunk, TopicPartition } from './api.ts';
import { BatchChunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import { Deferred } from './deferred.ts';
import { StreamError } from './errors.ts';
import { isWanted, Positions, type ReadAhead } from './positions.ts';
import { type FetchAnswer, fetch, listOffsets, offsetOutOfRange } from './requests.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_WAIT_MS = 500;
const MIN_PARTITION_BYTES = 64 * 1024;
/** Until the broker is asked where the log starts. */
const FROM_START = -1n;

/** What was asked for, and what came of it. */
interface Answer {
  asked: ReadAhead<undefined>[];
  answers: FetchAnswer[];
}

/**
 * Fetches all its partitions over one connection of its own, so that a long poll holds up nobody else. While the loop
 * works on one answer, the next one is on its way; a third is asked for only when the loop comes back.
 */
export class EmbeddedConsumer implements Consumer {
  readonly #open: () => Promise<Connection>;
  readonly #options: ConsumerOptions;
  readonly #positions = new Positions(() => this.#changed.resolve());
  /** Resolved when there may be something to read though all was paused, or never again. */
  #changed = new Deferred();
  #connection: Connection | undefined;
  #started = false;
  #closed = false;

  constructor(open: () => Promise<Connection>, options: ConsumerOptions) {
    this.#open = open;
    this.#options = options;
    for (const { topic, partition, offset } of options.assignments) {
      this.#positions.add({ topic, partition }, offset ?? FROM_START);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    if (this.#started) throw new StreamError('closed', 'a consumer can be looped over once');
    this.#started = true;
    try {
      if (this.#closed || this.#options.assignments.length === 0) return;
      const connection = await this.#open();
      this.#connection = connection;
      await this.#findStarts(connection);
      let next = this.#fetch(connection);
      while (!this.#closed) {
        const ahead = await this.#take(await next);
        next = this.#fetch(connection);
        for (const read of ahead) {
          if (this.#closed) return;
          if (isWanted(read)) yield read.chunk;
        }
      }
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#connection?.close();
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#positions.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#positions.resume(partitions);
  }

  seek(to: TopicPartition & { offset: bigint }): void {
    this.#positions.seek(to);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#changed.resolve();
    this.#connection?.close();
  }

  #fetch(connection: Connection): Promise<Answer> {
    const answer = this.#ask(connection);
    // It may break while the loop is busy elsewhere: whoever awaits it then is told.
    answer.catch(() => {});
    return answer;
  }

  async #ask(connection: Connection): Promise<Answer> {
    let positions = this.#positions.inTurn();
    while (positions.length === 0 && !this.#closed) {
      this.#changed = new Deferred();
      await this.#changed.promise;
      positions = this.#positions.inTurn();
    }
    if (this.#closed) return { asked: [], answers: [] };
    const maxBytes = this.#options.maxBytes ?? DEFAULT_MAX_BYTES;
    const asked = positions.map((position) => {
      const { offset: from, moves } = position;
      return { chunk: undefined, position, from, moves };
    });
    const answers = await fetch(connection, {
      maxBytes,
      maxWaitMs: this.#options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
      isolation: this.#options.isolation ?? 'committed',
      partitionMaxBytes: Math.max(Math.ceil(maxBytes / positions.length), MIN_PARTITION_BYTES),
      partitions: positions,
    });
    return { asked, answers };
  }

  async #take({ asked, answers }: Answer): Promise<ReadAhead<RecordChunk>[]> {
    const byPosition = new Map(asked.map((one) => [one.position, one]));
    const taken: ReadAhead<RecordChunk>[] = [];
    for (const { topic, partition, error, highWatermark, records, abortedTransactions } of answers) {
      const position = this.#positions.find(topic, partition);
      const one = position && byPosition.get(position);
      // It was paused or moved while the answer was on its way.
      if (one === undefined || !isWanted(one)) continue;
      if (error === 'offset-out-of-range') throw await offsetOutOfRange(this.#connection!, one.position);
      if (error !== undefined) throw error;
      if (records.length === 0) continue;
      const chunk = new BatchChunk(topic, partition, one.from, highWatermark, [records], abortedTransactions);
      one.position.offset = chunk.nextOffset;
      taken.push({ ...one, chunk });
    }
    return taken;
  }

  async #findStarts(connection: Connection): Promise<void> {
    const unknown = this.#options.assignments.filter(
      ({ topic, partition }) => this.#positions.find(topic, partition)!.offset === FROM_START,
    );
    if (unknown.length === 0) return;
    for (const { topic, partition, offset } of await listOffsets(connection, 'earliest', unknown)) {
      const position = this.#positions.find(topic, partition)!;
      if (position.offset === FROM_START) position.offset = offset;
    }
  }
}
