import type { Consumer, ConsumerOptions, RecordChunk } from './api.ts';
import { BatchChunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import { StreamError } from './errors.ts';
import { type FetchAnswer, fetch, listOffsets, offsetOutOfRange } from './requests.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_WAIT_MS = 500;
const MIN_PARTITION_BYTES = 64 * 1024;

interface Position {
  topic: string;
  partition: number;
  offset: bigint;
}

/**
 * Fetches all its partitions over one connection of its own, so that a long poll holds up nobody else. While the loop
 * works on one answer, the next one is on its way; a third is asked for only when the loop comes back.
 */
export class EmbeddedConsumer implements Consumer {
  readonly #open: () => Promise<Connection>;
  readonly #options: ConsumerOptions;
  #connection: Connection | undefined;
  #positions: Position[] = [];
  #started = false;
  #closed = false;

  constructor(open: () => Promise<Connection>, options: ConsumerOptions) {
    this.#open = open;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    if (this.#started) throw new StreamError('closed', 'a consumer can be looped over once');
    this.#started = true;
    try {
      if (this.#closed || this.#options.assignments.length === 0) return;
      const connection = await this.#open();
      this.#connection = connection;
      this.#positions = await startPositions(connection, this.#options.assignments);
      let next = this.#fetch(connection);
      while (!this.#closed) {
        const chunks = await this.#chunksOf(await next);
        next = this.#fetch(connection);
        for (const chunk of chunks) {
          if (this.#closed) return;
          yield chunk;
        }
      }
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#connection?.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.close();
  }

  #fetch(connection: Connection): Promise<FetchAnswer[]> {
    const maxBytes = this.#options.maxBytes ?? DEFAULT_MAX_BYTES;
    const answer = fetch(connection, {
      maxBytes,
      maxWaitMs: this.#options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
      isolation: this.#options.isolation ?? 'committed',
      partitionMaxBytes: Math.max(Math.ceil(maxBytes / this.#positions.length), MIN_PARTITION_BYTES),
      partitions: this.#positions,
    });
    // It may break while the loop is busy elsewhere: whoever awaits it then is told.
    answer.catch(() => {});
    // A broker fills its answer in the order asked: each partition is first in turn.
    this.#positions.push(this.#positions.shift()!);
    return answer;
  }

  async #chunksOf(answers: FetchAnswer[]): Promise<RecordChunk[]> {
    const chunks: RecordChunk[] = [];
    for (const { topic, partition, error, highWatermark, records, abortedTransactions } of answers) {
      const position = this.#positions.find((known) => known.partition === partition && known.topic === topic);
      if (position === undefined) continue;
      if (error === 'offset-out-of-range') throw await offsetOutOfRange(this.#connection!, position);
      if (error !== undefined) throw error;
      if (records.length === 0) continue;
      const chunk = new BatchChunk(topic, partition, position.offset, highWatermark, [records], abortedTransactions);
      position.offset = chunk.nextOffset;
      chunks.push(chunk);
    }
    return chunks;
  }
}

async function startPositions(
  connection: Connection,
  assignments: ConsumerOptions['assignments'],
): Promise<Position[]> {
  const unknown = assignments.filter(({ offset }) => offset === undefined);
  const starts = unknown.length === 0 ? [] : await listOffsets(connection, 'earliest', unknown);
  return assignments.map(({ topic, partition, offset }) => ({
    topic,
    partition,
    offset: offset ?? starts.find((start) => start.partition === partition && start.topic === topic)!.offset,
  }));
}
