import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError, type PartitionLog, type PartitionReader } from '@tickfold/log-engine';
import {
  BatchChunk,
  type Consumer,
  type ConsumerOptions,
  type Isolation,
  isWanted,
  outOfRange,
  type Position,
  Positions,
  type ReadAhead,
  type RecordChunk,
  StreamError,
  type TopicPartition,
} from '@tickfold/stream';
import { streamErrorOf } from './engine-errors.ts';
import type { Logs } from './logs.ts';

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
const MIN_PARTITION_BYTES = 64 * 1024;
/** Until the log is asked where it starts. */
const FROM_START = -1n;

/**
 * Reads its partitions in turn. While the loop works on one chunk, the next one is read; a third only when the loop
 * comes back. At the end of a live log it waits for more; of a snapshot, where nothing ever comes, until it is closed.
 */
export class InProcessConsumer implements Consumer {
  readonly #logs: Logs;
  readonly #options: ConsumerOptions;
  readonly #isolation: Isolation;
  readonly #onClosed: () => void;
  readonly #positions = new Positions(() => {
    this.#seenEnds.clear();
    this.#wake();
  });
  /** Up to where each could be read at the last read: what came after that was not looked at yet. */
  readonly #seenEnds = new Map<Position, bigint>();
  #partitionMaxBytes = 0;
  #started = false;
  #closed = false;
  #failure: StreamError | undefined;
  /** What comes after the chunk at work. */
  #reading: Promise<ReadAhead<RecordChunk> | undefined> = Promise.resolve(undefined);
  /** Ends a wait for news. */
  #wake: () => void = () => {};

  constructor(logs: Logs, options: ConsumerOptions, onClosed: () => void) {
    this.#logs = logs;
    this.#options = options;
    this.#isolation = options.isolation ?? 'committed';
    this.#onClosed = onClosed;
    for (const { topic, partition, offset } of options.assignments) {
      this.#positions.add({ topic, partition }, offset ?? FROM_START);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    if (this.#started) throw new StreamError('closed', 'a consumer can be looped over once');
    this.#started = true;
    const { assignments, maxBytes = DEFAULT_MAX_BYTES } = this.#options;
    if (this.#closed || assignments.length === 0) return;
    this.#partitionMaxBytes = Math.max(Math.ceil(maxBytes / assignments.length), MIN_PARTITION_BYTES);
    for (const { topic, partition } of assignments) {
      const position = this.#positions.find(topic, partition)!;
      const { logStartOffset } = this.#logs.partition(topic, partition);
      if (position.offset === FROM_START) position.offset = logStartOffset;
    }
    try {
      this.#readAhead();
      for (;;) {
        const ahead = await this.#reading;
        // It may have been read ahead before the end.
        if (ahead === undefined || this.#hasEnded()) return;
        const wanted = isWanted(ahead);
        this.#readAhead();
        if (wanted) yield ahead.chunk;
        // What lies in memory is there at once: timers and sockets of this process get their turn all the same.
        await nextTurn();
      }
    } finally {
      await this.close();
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
    await this.#idle();
    this.#onClosed();
  }

  /** The loop ends with this error, unless the consumer was closed before. */
  async fail(error: StreamError): Promise<void> {
    this.#failure = error;
    await this.#idle();
  }

  /** Whoever closes the log afterwards must not take it away under a read. */
  async #idle(): Promise<void> {
    this.#wake();
    await this.#reading.catch(() => {});
  }

  #readAhead(): void {
    this.#reading = this.#readNext();
    // It may fail while the loop is busy elsewhere: whoever awaits it then is told.
    this.#reading.catch(() => {});
  }

  /** Waits for the first chunk of any partition; undefined when the consumer was closed. */
  async #readNext(): Promise<ReadAhead<RecordChunk> | undefined> {
    for (;;) {
      for (const position of this.#positions.inTurn()) {
        if (this.#hasEnded()) return undefined;
        const ahead = await this.#read(position);
        if (ahead !== undefined) return this.#hasEnded() ? undefined : ahead;
      }
      await this.#untilNews();
    }
  }

  /** @throws StreamError what it failed with */
  #hasEnded(): boolean {
    if (this.#closed) return true;
    if (this.#failure !== undefined) throw this.#failure;
    return false;
  }

  async #read(position: Position): Promise<ReadAhead<RecordChunk> | undefined> {
    const { topic, partition, offset: from, moves } = position;
    // Looked up each time: a topic may be deleted, or made anew, while its reader waits.
    const log = this.#logs.partition(topic, partition);
    if (from === this.#endOf(log)) {
      this.#seenEnds.set(position, from);
      return undefined;
    }
    const read = await readFrom(log, from, this.#partitionMaxBytes, this.#isolation);
    // It was moved or paused meanwhile: what it saw tells nothing of where it is now.
    if (!isWanted({ chunk: undefined, position, from, moves })) return undefined;
    const end = this.#isolation === 'committed' ? read.lastStableOffset : read.highWatermark;
    this.#seenEnds.set(position, end);
    // Also where all that follows was damaged: there is something to read again when more comes.
    if (read.batches.length === 0) return undefined;
    const chunk = new BatchChunk(topic, partition, from, end, read.batches, read.abortedTransactions);
    position.offset = chunk.nextOffset;
    return { chunk, position, from, moves };
  }

  #endOf(log: PartitionReader): bigint {
    return this.#isolation === 'committed' ? log.lastStableOffset : log.highWatermark;
  }

  #untilNews(): Promise<void> {
    return new Promise((resolve) => {
      const stops: (() => void)[] = [];
      const wake = () => {
        for (const stop of stops) stop();
        resolve();
      };
      this.#wake = wake;
      for (const position of this.#positions.inTurn()) {
        const { topic, partition } = position;
        const log = this.#logs.findPartition(topic, partition);
        if (log !== undefined && isLive(log)) stops.push(log.onVisible(wake));
        // It may have moved while those after it were read, or be gone.
        if (log === undefined || this.#endOf(log) !== this.#seenEnds.get(position)) {
          wake();
          // A listener that is added now would never be taken away.
          break;
        }
      }
      if (this.#closed || this.#failure !== undefined) wake();
    });
  }
}

/** Reads with the errors of streams. @throws StreamError */
export async function readFrom(log: PartitionReader, offset: bigint, maxBytes: number, isolation: Isolation) {
  try {
    return await log.read(offset, maxBytes, isolation);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'offset-out-of-range') throw streamErrorOf(error);
    const { topic, partition, logStartOffset, highWatermark } = log;
    throw outOfRange({ topic, partition, offset }, logStartOffset, highWatermark);
  }
}

function isLive(log: PartitionReader): log is PartitionLog {
  return 'onVisible' in log;
}
