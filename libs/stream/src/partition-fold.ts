import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  OutgoingRecord,
  ProcessorOptions,
  ProcessorOutput,
  RecordChunk,
  RecordView,
  TransactionalProducer,
} from './api.ts';
import { StreamError } from './errors.ts';
import { processorHeaders } from './processor-headers.ts';
import { keptState, stateRecord } from './state-checkpoints.ts';

/** Then timers and other connections get their turn: a health check never waits for a whole chunk. */
const TURN_MS = 10;
/** Between two looks at the clock and the signal, which a handler may have given. */
const RECORDS_PER_LOOK = 32;

/** What was done with the records of a chunk. */
export interface Folded {
  handled: number;
  emitted: number;
  deadLettered: number;
  /** False where it was left before its end. */
  isWhole: boolean;
}

/** One input partition's part of a processor: its state, its cursor, and the transactions of its output. */
export class PartitionFold<State> {
  /** Offset of the next record to handle. */
  nextOffset: bigint;
  readonly #options: ProcessorOptions<State>;
  readonly partition: number;
  readonly #producer: TransactionalProducer;
  readonly #state: State;
  /** Below it the state is folded again, and the output is there already. */
  readonly #refoldUntil: bigint;
  #committedOffset: bigint;
  #committing: Promise<void> | undefined;
  #recordsSinceState = 0;
  /** Outputs of the current record: sent only when its handler returned. */
  readonly #outputs: ProcessorOutput[] = [];

  private constructor(
    options: ProcessorOptions<State>,
    partition: number,
    producer: TransactionalProducer,
    from: { state: State; nextOffset: bigint; cursor: bigint },
  ) {
    this.#options = options;
    this.partition = partition;
    this.#producer = producer;
    this.#state = from.state;
    this.nextOffset = from.nextOffset;
    this.#refoldUntil = from.cursor;
    this.#committedOffset = from.cursor;
  }

  /**
   * @param former what this instance made of the partition before it gave it up: goes on where nobody else did
   * @throws StreamError `output-ahead`
   */
  static async open<State>(
    options: ProcessorOptions<State>,
    partition: number,
    former?: PartitionFold<State>,
  ): Promise<PartitionFold<State>> {
    const { client, group, inputTopic } = options;
    // First of all: from here on nobody else moves the cursor, and what a predecessor left open is taken back.
    const producer = await client.transactionalProducer({ transactionalId: `${group}-${partition}` });
    try {
      const { logStart, high } = (await client.admin.watermarks(inputTopic))[partition]!;
      const cursor = (await client.admin.committedOffsets(group, inputTopic)).get(partition) ?? logStart;
      if (cursor > high) {
        throw new StreamError(
          'output-ahead',
          `group '${group}' has handled '${inputTopic}' partition ${partition} up to offset ${cursor}, but it ends before ${high}`,
        );
      }
      const kept = former?.ifStillAt(cursor) ?? (await keptState(options, partition));
      const state = kept?.state ?? options.createState(partition);
      const nextOffset = kept !== undefined && kept.nextOffset > logStart ? kept.nextOffset : logStart;
      return new PartitionFold(options, partition, producer, { state, nextOffset, cursor });
    } catch (error) {
      await producer.close().catch(() => {});
      throw error;
    }
  }

  /** Where its consumer begins. */
  get start(): { topic: string; partition: number; offset: bigint } {
    return { topic: this.#options.inputTopic, partition: this.partition, offset: this.nextOffset };
  }

  /** Its state, where the group's cursor is the one that it left. */
  ifStillAt(cursor: bigint): { state: State; nextOffset: bigint } | undefined {
    return cursor === this.#committedOffset ? { state: this.#state, nextOffset: this.nextOffset } : undefined;
  }

  get isRefolding(): boolean {
    return this.nextOffset < this.#refoldUntil;
  }

  /** Whether more is handled than is committed. */
  get isDirty(): boolean {
    return this.nextOffset > this.#committedOffset;
  }

  /**
   * Folds a chunk, or goes on with it: to its end, unless it is time for a commit, or the signal is aborted.
   *
   * @param records those of the chunk that are left
   */
  async run(chunk: RecordChunk, records: Iterator<RecordView>, commitAtMs: number): Promise<Folded> {
    const { signal } = this.#options;
    const folded: Folded = { handled: 0, emitted: 0, deadLettered: 0, isWhole: true };
    // Asked of each record only where the chunk begins in what is folded again: offsets are bigints, which cost.
    let isThere = this.isRefolding;
    let turnEndsMs = performance.now() + TURN_MS;
    // Not with for-of: that would end the iterator where it is left.
    for (let next = records.next(); !next.done; next = records.next()) {
      const record = next.value;
      const reason = this.#handle(record);
      folded.handled++;
      this.#recordsSinceState++;
      if (isThere) isThere = record.offset < this.#refoldUntil;
      if (!isThere) {
        const wait =
          reason === undefined ? this.#sendOutputs(record, folded) : this.#sendDeadLetter(record, reason, folded);
        if (wait !== undefined) await wait;
      }
      if (folded.handled % RECORDS_PER_LOOK !== 0) continue;
      if (!signal.aborted && performance.now() < turnEndsMs) continue;
      await nextTurn();
      const nowMs = performance.now();
      turnEndsMs = nowMs + TURN_MS;
      if (!signal.aborted && nowMs < commitAtMs) continue;
      this.nextOffset = record.offset + 1n;
      folded.isWhole = false;
      return folded;
    }
    this.nextOffset = chunk.nextOffset;
    return folded;
  }

  /** Makes output, cursor and state visible together, durably. One commit at a time. @throws StreamError */
  async commit(): Promise<void> {
    while (this.isDirty) {
      this.#committing ??= this.#commit().finally(() => {
        this.#committing = undefined;
      });
      await this.#committing;
    }
  }

  async #commit(): Promise<void> {
    const { group, inputTopic, checkpoint } = this.#options;
    const offset = this.nextOffset;
    if (checkpoint !== undefined && this.#recordsSinceState >= checkpoint.everyRecords) {
      this.#recordsSinceState = 0;
      await this.#producer.send(stateRecord(group, this.partition, offset, checkpoint.serialize(this.#state)));
    }
    await this.#producer.commit([{ group, topic: inputTopic, offsets: new Map([[this.partition, offset]]) }]);
    this.#committedOffset = offset;
  }

  /**
   * What is not committed is taken back. The run's own error, if any, is on its way already; a second one from closing would
   * hide it.
   */
  async close(): Promise<void> {
    await this.#producer.close().catch(() => {});
  }

  /** Returns what the handler threw, as the reason of a dead letter. */
  #handle(record: RecordView): string | undefined {
    // Not by its length: that costs ten times as much.
    while (this.#outputs.length > 0) this.#outputs.pop();
    try {
      this.#options.handle(this.#state, record, this.#emit);
      return undefined;
    } catch (error) {
      if (error instanceof StreamError) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  readonly #emit = (output: ProcessorOutput): void => {
    const { topic } = output;
    if (!this.#options.outputTopics.includes(topic)) {
      throw new StreamError('handler-contract', `'${topic}' is not among the output topics of ${this.#options.group}`);
    }
    for (const earlier of this.#outputs) {
      if (earlier.topic !== topic) continue;
      throw new StreamError('handler-contract', `a handler emitted twice to '${topic}' for one input record`);
    }
    this.#outputs.push(output);
  };

  #sendOutputs(record: RecordView, folded: Folded): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    for (const output of this.#outputs) {
      folded.emitted++;
      wait = this.#send(record, output) ?? wait;
    }
    return wait;
  }

  #sendDeadLetter(record: RecordView, reason: string, folded: Folded): Promise<void> | undefined {
    const { deadLetterTopic: topic, group } = this.#options;
    folded.deadLettered++;
    const { key, value, timestampMs } = record;
    const source = record.header(processorHeaders.source) ?? `${record.topic}/${record.partition}:${record.offset}`;
    return this.#send(record, { topic, key, value, timestampMs, headers: { source, reason, app: group } });
  }

  #send(from: RecordView, output: Omit<OutgoingRecord, 'partition'>): Promise<void> | undefined {
    const { topic, key, value, timestampMs } = output;
    const ours = { [processorHeaders.input]: String(from.offset) };
    const traceparent = from.header(processorHeaders.traceparent);
    // A spread costs more than all the rest of sending.
    let headers: Record<string, string> = output.headers === undefined ? ours : Object.assign({}, output.headers, ours);
    if (traceparent !== undefined) headers = { ...traceOf(from, traceparent), ...headers };
    return this.#producer.send({ topic, partition: from.partition, key, value, timestampMs, headers });
  }
}

/** The processor records no span of its own, so what it passes on is what it got. */
function traceOf(record: RecordView, traceparent: string): Record<string, string> {
  const tracestate = record.header(processorHeaders.tracestate);
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}
