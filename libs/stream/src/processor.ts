import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Consumer,
  OutgoingRecord,
  ProcessorOptions,
  ProcessorOutput,
  Producer,
  RecordChunk,
  RecordView,
  StreamClient,
} from './api.ts';
import { StreamError } from './errors.ts';
import { PeriodicCommit } from './periodic-commit.ts';
import { processorHeaders } from './processor-headers.ts';
import { NOTHING_WRITTEN, type ResumePoints, resumePoints } from './resume-points.ts';
import { untilSettled } from './settled.ts';
import { untilPassedOrAborted } from './wait.ts';

/** Between these, timers and other connections get their turn: a health check never waits for a whole chunk. */
const RECORDS_PER_TURN = 500;
const TOPIC_POLL_MS = 250;

interface PartitionFold<State> {
  partition: number;
  state: State;
  resume: ResumePoints;
  /** Up to this input offset the state is rebuilt, and some or all output is there already. */
  refoldUntil: bigint;
}

/**
 * Folds the input topic into the output topics until the signal is aborted; waits where the input topic is still
 * missing. Every input record leaves at most one record in each output topic, also when the process or the broker dies
 * at any time in between: each output carries the offset of its input, the next run reads the last one of each
 * partition, folds the input again from its start and keeps back what is there already.
 *
 * A handler that throws sends its record to the dead letters; what it emitted for it is dropped. It must throw before it
 * changes its state, or leave the state as it was: the fold goes on with it.
 *
 * @throws StreamError `disconnected` and other passing ones (see `runResumably`), `foreign-output`, `output-ahead`,
 * `handler-contract`, `rejected`
 */
export async function runProcessor<State>(options: ProcessorOptions<State>): Promise<void> {
  const { client, group, inputTopic, signal } = options;
  const partitionCount = await untilTopicExists(client, inputTopic, signal);
  if (partitionCount === undefined) return;
  const outputs = [...new Set([...options.outputTopics, options.deadLetterTopic])];
  await client.admin.ensureTopics(outputs.map((name) => ({ name, partitionCount })));
  await untilSettled(client, outputs);
  const folds = await startFolds(options);

  const producer = client.producer();
  const consumer = client.consumer({ assignments: folds.map(({ partition }) => ({ topic: inputTopic, partition })) });
  const stop = () => consumer.close();
  signal.addEventListener('abort', stop);
  const commit = new PeriodicCommit({
    client,
    producer,
    group,
    topic: inputTopic,
    committed: await client.admin.committedOffsets(group, inputTopic),
    onFailed: stop,
  });
  try {
    if (!signal.aborted) await foldAll(options, { folds, consumer, producer, commit });
    await commit.finish();
  } finally {
    signal.removeEventListener('abort', stop);
    commit.stop();
    await consumer.close();
    await closeQuietly(producer);
  }
}

/** Partition count of the topic, or undefined when the signal came first. */
async function untilTopicExists(client: StreamClient, name: string, signal: AbortSignal): Promise<number | undefined> {
  while (!signal.aborted) {
    const topic = (await client.admin.topics()).find((candidate) => candidate.name === name);
    if (topic !== undefined) return topic.partitionCount;
    await untilPassedOrAborted(TOPIC_POLL_MS, signal);
  }
  return undefined;
}

async function startFolds<State>(options: ProcessorOptions<State>): Promise<PartitionFold<State>[]> {
  const inputs = await options.client.admin.watermarks(options.inputTopic);
  return Promise.all(
    inputs.map(async (input) => {
      const resume = await resumePoints(options, input);
      let refoldUntil = NOTHING_WRITTEN;
      for (const point of resume.values()) if (point > refoldUntil) refoldUntil = point;
      return { partition: input.partition, state: options.createState(input.partition), resume, refoldUntil };
    }),
  );
}

interface Run<State> {
  folds: PartitionFold<State>[];
  consumer: Consumer;
  producer: Producer;
  commit: PeriodicCommit;
}

async function foldAll<State>(options: ProcessorOptions<State>, run: Run<State>): Promise<void> {
  for await (const chunk of run.consumer) {
    const fold = run.folds.find(({ partition }) => partition === chunk.partition)!;
    const folding = new ChunkFold(options, fold, run.producer);
    const nextOffset = await folding.run(chunk);
    const refolding = nextOffset <= fold.refoldUntil;
    if (!refolding) run.commit.advance(chunk.partition, nextOffset);
    options.onProgress?.({
      partition: chunk.partition,
      handled: folding.handled,
      emitted: folding.emitted,
      deadLettered: folding.deadLettered,
      refolding,
      nextOffset,
      highWatermark: chunk.highWatermark,
    });
    await nextTurn();
  }
}

/** Folds one chunk, record by record. */
class ChunkFold<State> {
  handled = 0;
  emitted = 0;
  deadLettered = 0;
  readonly #options: ProcessorOptions<State>;
  readonly #fold: PartitionFold<State>;
  readonly #producer: Producer;
  /** Outputs of the current record: sent only when its handler returned. */
  readonly #outputs: ProcessorOutput[] = [];

  constructor(options: ProcessorOptions<State>, fold: PartitionFold<State>, producer: Producer) {
    this.#options = options;
    this.#fold = fold;
    this.#producer = producer;
  }

  /** Returns the offset after the last record that was handled: the whole chunk's, unless the signal was aborted. */
  async run(chunk: RecordChunk): Promise<bigint> {
    const { signal } = this.#options;
    for (const record of chunk.records()) {
      const deadLetter = this.#handle(record);
      this.handled++;
      const wait = deadLetter === undefined ? this.#sendOutputs(record) : this.#sendDeadLetter(record, deadLetter);
      if (wait !== undefined) await wait;
      if (this.handled % RECORDS_PER_TURN === 0) {
        await nextTurn();
        if (signal.aborted) return record.offset + 1n;
      }
    }
    return chunk.nextOffset;
  }

  /** Returns what the handler threw, as the reason of a dead letter. */
  #handle(record: RecordView): string | undefined {
    this.#outputs.length = 0;
    try {
      this.#options.handle(this.#fold.state, record, this.#emit);
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

  #sendOutputs(record: RecordView): Promise<void> | undefined {
    let wait: Promise<void> | undefined;
    for (const output of this.#outputs) {
      if (this.#isThere(output.topic, record)) continue;
      this.emitted++;
      wait = this.#send(record, output) ?? wait;
    }
    return wait;
  }

  #sendDeadLetter(record: RecordView, reason: string): Promise<void> | undefined {
    const { deadLetterTopic: topic, group } = this.#options;
    if (this.#isThere(topic, record)) return undefined;
    this.deadLettered++;
    const { key, value, timestampMs } = record;
    const source = record.header(processorHeaders.source) ?? `${record.topic}/${record.partition}:${record.offset}`;
    return this.#send(record, { topic, key, value, timestampMs, headers: { source, reason, app: group } });
  }

  #isThere(topic: string, record: RecordView): boolean {
    return this.#fold.refoldUntil >= 0n && record.offset <= this.#fold.resume.get(topic)!;
  }

  #send(from: RecordView, output: Omit<OutgoingRecord, 'partition'>): Promise<void> | undefined {
    const { topic, key, value, timestampMs } = output;
    // Not a spread: that costs more than all the rest of sending.
    const headers: Record<string, string> = Object.assign({}, output.headers);
    headers[processorHeaders.input] = String(from.offset);
    return this.#producer.send({ topic, partition: from.partition, key, value, timestampMs, headers });
  }
}

/** The run's own error, if any, is on its way already; a second one from closing would hide it. */
async function closeQuietly(producer: Producer): Promise<void> {
  await producer.close().catch(() => {});
}
