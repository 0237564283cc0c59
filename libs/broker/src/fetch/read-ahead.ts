import { readBatchHeader } from '@tickfold/kafka-protocol';
import type { Isolation, PartitionLog, ReadResult } from '@tickfold/log-engine';
import { visibleEnd } from '../isolation.ts';
import { ReadBuffers } from './read-buffers.ts';

/** All connections together hold so much that was read ahead, at most. */
const LIMIT_BYTES = 16 * 1024 * 1024;
/** Whoever asks for more at once gains little by it. */
const MAX_READ_BYTES = 2 * 1024 * 1024;
/** What nobody asked for since then makes room for others. */
const MAX_AGE_MS = 1_000;

/** A log, or what a test puts in its place. */
type ReadableLog = Pick<PartitionLog, 'read' | 'highWatermark' | 'lastStableOffset' | 'logStartOffset'>;

/** Whom is read for. */
export interface Reader {
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** See `RequestContext`. */
  onSent(listener: () => void): void;
}

interface Read {
  result: ReadResult;
  /** The buffer that some of the batches lie in. */
  lent: Buffer | undefined;
}

/** A read that was begun before it was asked for. */
interface Ahead {
  readonly connection: AbortSignal;
  readonly log: ReadableLog;
  readonly offset: bigint;
  readonly maxBytes: number;
  readonly isolation: Isolation;
  readonly begunAtMs: number;
  readonly reading: Promise<Read | undefined>;
}

/**
 * Reads for clients that go through a log from its beginning: while one takes in an answer, what it will ask for next is
 * read already.
 */
export class ReadAhead {
  readonly #clock: () => number;
  readonly #buffers = new ReadBuffers();
  readonly #ofConnection = new Map<AbortSignal, Map<ReadableLog, Ahead>>();
  /** The oldest first. */
  readonly #all = new Set<Ahead>();
  #bytes = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Bytes that all reads ahead may hold. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** As `log.read`. The batches are those of the log until the answer to this request is sent. */
  async read(
    { signal, onSent }: Reader,
    log: ReadableLog,
    offset: bigint,
    maxBytes: number,
    isolation: Isolation,
  ): Promise<ReadResult> {
    const ahead = this.#ofConnection.get(signal)?.get(log);
    if (ahead !== undefined) this.#forget(ahead);
    const fits = ahead?.offset === offset && ahead.maxBytes === maxBytes && ahead.isolation === isolation;
    const found = fits ? upToDate(await ahead.reading, log, offset, isolation) : undefined;
    const { result, lent } = found ?? (await this.#readLog(log, offset, maxBytes, isolation));
    if (lent !== undefined) onSent(() => this.#buffers.giveBack(lent));
    const next = endOf(result);
    // Less would make the next answer a small one, and who reads the newest is served from memory anyway.
    const isWorthIt = next !== undefined && visibleEnd(log, isolation) - next >= next - offset;
    // The answer that is there goes out first.
    if (isWorthIt) setImmediate(() => this.#begin(signal, log, next, maxBytes, isolation));
    return result;
  }

  async #readLog(log: ReadableLog, offset: bigint, maxBytes: number, isolation: Isolation): Promise<Read> {
    const buffer = this.#buffers.take(maxBytes);
    const result = await log.read(offset, maxBytes, isolation, buffer);
    const isUsed = result.batches.some((batch) => batch.buffer === buffer?.buffer);
    if (buffer !== undefined && !isUsed) this.#buffers.giveBack(buffer);
    return { result, lent: isUsed ? buffer : undefined };
  }

  #begin(connection: AbortSignal, log: ReadableLog, offset: bigint, maxBytes: number, isolation: Isolation): void {
    if (connection.aborted || maxBytes > MAX_READ_BYTES || !this.#makeRoom(maxBytes)) return;
    const logs = this.#logsOf(connection);
    if (logs.has(log)) return;
    // Whoever asks for it reads again, and learns what is wrong.
    const reading = this.#readLog(log, offset, maxBytes, isolation).catch(() => undefined);
    const ahead = { connection, log, offset, maxBytes, isolation, begunAtMs: this.#clock(), reading };
    logs.set(log, ahead);
    this.#all.add(ahead);
    this.#bytes += maxBytes;
  }

  #makeRoom(bytes: number): boolean {
    for (const oldest of this.#all) {
      if (this.#clock() - oldest.begunAtMs < MAX_AGE_MS) break;
      this.#forget(oldest);
    }
    return this.#bytes + bytes <= LIMIT_BYTES;
  }

  #logsOf(connection: AbortSignal): Map<ReadableLog, Ahead> {
    let logs = this.#ofConnection.get(connection);
    if (logs === undefined) {
      logs = new Map();
      this.#ofConnection.set(connection, logs);
      connection.addEventListener('abort', () => this.#end(connection), { once: true });
    }
    return logs;
  }

  #end(connection: AbortSignal): void {
    const logs = this.#ofConnection.get(connection);
    this.#ofConnection.delete(connection);
    for (const ahead of logs?.values() ?? []) this.#forget(ahead);
  }

  #forget(ahead: Ahead): void {
    if (!this.#all.delete(ahead)) return;
    this.#bytes -= ahead.maxBytes;
    this.#ofConnection.get(ahead.connection)?.delete(ahead.log);
  }
}

/** What was read, where a read would give the same batches now, with the ends as they are now. */
function upToDate(read: Read | undefined, log: ReadableLog, offset: bigint, isolation: Isolation): Read | undefined {
  if (read === undefined || offset < log.logStartOffset) return undefined;
  const end = endOf(read.result);
  if (end === undefined) return undefined;
  const hadMore = end < visibleEnd(read.result, isolation);
  if (!hadMore && end < visibleEnd(log, isolation)) return undefined;
  const { highWatermark, lastStableOffset, logStartOffset } = log;
  return { ...read, result: { ...read.result, highWatermark, lastStableOffset, logStartOffset } };
}

/** Behind the last batch that was read; undefined where there is none. */
function endOf({ batches }: ReadResult): bigint | undefined {
  const last = batches.at(-1);
  return last === undefined ? undefined : readBatchHeader(last).lastOffset + 1n;
}
