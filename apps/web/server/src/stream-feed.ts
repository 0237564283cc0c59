import {
  decisionSchema,
  enrichedTickSchema,
  equityMarkSchema,
  headers,
  modelTopics,
  newYorkClock,
  promotionSchema,
  SchemaError,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import {
  type Consumer,
  connect,
  type RecordView,
  runResumably,
  type StreamClient,
  type StreamConfig,
} from '@tickfold/stream';
import type { DashboardState } from './dashboard-state.ts';
import { pause } from './pause.ts';
import { ProgressSampler } from './progress-sampler.ts';

/** How far the page has read, over all connections: it never reads a record twice. */
export class ReadPositions {
  readonly #next = new Map<string, Map<number, bigint>>();
  readonly #counts = new Map<string, number>();

  /**
   * Records of a topic up to there, with those that retention took before. Offsets do not tell: ends of transactions take
   * one each.
   */
  countOf(topic: string): number {
    return this.#counts.get(topic) ?? 0;
  }

  count(topic: string, records: number): void {
    this.#counts.set(topic, this.countOf(topic) + records);
  }

  /** For a topic that is not read here: its records as somebody else tells their number. */
  told(topic: string, count: number): void {
    this.#counts.set(topic, count);
  }

  of(topic: string): Map<number, bigint> {
    let positions = this.#next.get(topic);
    if (!positions) {
      positions = new Map();
      this.#next.set(topic, positions);
    }
    return positions;
  }
}

export interface FeedOptions {
  state: DashboardState;
  stream: StreamConfig;
  signal: AbortSignal;
  /** Told each time that the connection comes or goes. */
  onConnection(connected: boolean, reason: string): void;
  /** Handed the connection while there is one, for whoever else asks the broker something. */
  onClient?(client: StreamClient | undefined): void;
}

const TOPIC_POLL_MS = 500;
const SAMPLE_MS = 1_000;
/** A broker that is silent for so long is no longer the one that the last figures are about. */
const SAMPLE_LIMIT_MS = 4_000;
/** Small enough that the page stays answerable between two chunks. */
const FETCH_BYTES = 1_048_576;

/** Reads from the log's start and follows it, over broken connections, until the signal is aborted. */
export async function followStreams(options: FeedOptions): Promise<void> {
  const positions = new ReadPositions();
  await runResumably({
    run: () => followOnce(options, positions),
    signal: options.signal,
    onInterrupted: (error) => options.onConnection(false, error.message),
  });
}

async function followOnce(
  { state, stream, signal, onConnection, onClient }: FeedOptions,
  positions: ReadPositions,
): Promise<void> {
  const client = await connect(stream, signal);
  const end = new AbortController();
  const readersEnd = AbortSignal.any([signal, end.signal]);
  const reader = new Reader(client, positions, readersEnd);
  readersEnd.addEventListener(
    'abort',
    () => {
      reader.close();
      state.differences.wakeReaders();
    },
    { once: true },
  );
  state.brokerConnected = true;
  onClient?.(client);
  onConnection(true, 'connected');
  try {
    await Promise.all([
      readSource(reader, state, positions),
      readEnriched(reader, state),
      readPromotions(reader, state),
      ...state.models.flatMap((model) => [
        readEquity(reader, state, model),
        readDecisions(reader, state, model),
        // Only to be counted.
        reader.follow(modelTopics(model).fills, () => {}),
      ]),
      sampleProgress(reader, state, positions),
    ]);
  } finally {
    state.brokerConnected = false;
    onClient?.(undefined);
    state.forgetProgress();
    end.abort();
    await client.close();
  }
}

async function readSource(reader: Reader, state: DashboardState, positions: ReadPositions): Promise<void> {
  const decode = decoderOf(sourceSessionSchema, state);
  await reader.follow(topics.source, (record) => {
    state.source = decode(record) ?? state.source;
    const position = Number(record.header(headers.position));
    if (Number.isSafeInteger(position)) positions.told(topics.ticks, position);
  });
}

async function readEnriched(reader: Reader, state: DashboardState): Promise<void> {
  const decode = decoderOf(enrichedTickSchema, state);
  await reader.follow(topics.enriched, (record) => {
    const tick = decode(record);
    if (tick) state.market.apply(tick, newYorkClock(tick.eventTimeMs).date);
  });
}

async function readPromotions(reader: Reader, state: DashboardState): Promise<void> {
  const decode = decoderOf(promotionSchema, state);
  await reader.follow(topics.promotions, (record) => {
    const promotion = decode(record);
    if (promotion) state.championship.apply(promotion);
  });
}

async function readEquity(reader: Reader, state: DashboardState, model: string): Promise<void> {
  const decode = decoderOf(equityMarkSchema, state);
  const equity = state.equity.get(model)!;
  await reader.follow(modelTopics(model).equity, (record) => {
    const mark = decode(record);
    if (mark) equity.apply(record.partition, mark);
  });
}

/** A reader for each partition: one that waits for a slower model must not hold up the other partitions. */
async function readDecisions(reader: Reader, state: DashboardState, model: string): Promise<void> {
  const topic = modelTopics(model).decisions;
  const decode = decoderOf(decisionSchema, state);
  const { differences } = state;
  await reader.followEachPartition(topic, (partition) => ({
    apply: (record) => {
      const decision = decode(record);
      const input = record.header(headers.input);
      if (!decision || input === undefined) return;
      const source = record.header(headers.source) ?? '';
      differences.add({ model, partition, inputOffset: BigInt(input), source, decision });
    },
    room: () => differences.roomFor(model, partition),
  }));
}

async function sampleProgress(reader: Reader, state: DashboardState, positions: ReadPositions): Promise<void> {
  const sampler = new ProgressSampler(reader.client, state.models, positions);
  while (!reader.signal.aborted) {
    const silence = setTimeout(() => state.forgetProgress(), SAMPLE_LIMIT_MS);
    try {
      state.progress = await sampler.sample(Date.now());
    } finally {
      clearTimeout(silence);
    }
    state.catchingUp = state.catchingUp && !sampler.hasCaughtUp;
    for (const { model, partition, nextOffset, decisionsEnd } of sampler.modelPositions()) {
      const read = positions.of(modelTopics(model).decisions).get(partition) ?? 0n;
      if (read >= decisionsEnd) state.differences.advance(model, partition, nextOffset);
    }
    await pause(SAMPLE_MS, reader.signal);
  }
}

interface Decoder<T> {
  decode(bytes: Uint8Array, id?: string): T;
}

/** A value that no known schema fits is counted and shown, and ends nothing. */
function decoderOf<T>(schema: Decoder<T>, state: DashboardState): (record: RecordView) => T | undefined {
  return (record) => {
    try {
      return schema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      state.market.countUndecodable();
      return undefined;
    }
  };
}

interface TopicInfo {
  name: string;
  partitionCount: number;
}

interface PartitionHandler {
  apply(record: RecordView): void;
  /** A promise to await before more is read. */
  room(): Promise<void> | undefined;
}

/** Follows topics over one client, from where the page stopped reading them. */
class Reader {
  readonly client: StreamClient;
  readonly signal: AbortSignal;
  readonly #positions: ReadPositions;
  readonly #consumers = new Set<Consumer>();
  #nextListing: Promise<TopicInfo[]> | undefined;

  constructor(client: StreamClient, positions: ReadPositions, signal: AbortSignal) {
    this.client = client;
    this.signal = signal;
    this.#positions = positions;
  }

  /** Ends whatever is being read. */
  close(): void {
    for (const consumer of this.#consumers) void consumer.close();
  }

  async follow(topic: string, apply: (record: RecordView) => void): Promise<void> {
    const partitions = await this.#partitionsOf(topic);
    await this.#read(topic, partitions, { apply, room: () => undefined });
  }

  async followEachPartition(topic: string, handlerOf: (partition: number) => PartitionHandler): Promise<void> {
    const partitions = await this.#partitionsOf(topic);
    await Promise.all(partitions.map((partition) => this.#read(topic, [partition], handlerOf(partition))));
  }

  /** Waits until the topic is there: the app that writes it makes it. Empty when the signal is aborted first. */
  async #partitionsOf(topic: string): Promise<number[]> {
    let listing = await this.client.admin.topics();
    while (!this.signal.aborted) {
      const found = listing.find(({ name }) => name === topic);
      if (found) return Array.from({ length: found.partitionCount }, (_, partition) => partition);
      listing = await this.#laterListing();
    }
    return [];
  }

  /** One question for all that wait for a topic. */
  #laterListing(): Promise<TopicInfo[]> {
    this.#nextListing ??= pause(TOPIC_POLL_MS, this.signal)
      .then(() => (this.signal.aborted ? [] : this.client.admin.topics()))
      .finally(() => {
        this.#nextListing = undefined;
      });
    return this.#nextListing;
  }

  async #read(topic: string, partitions: number[], handler: PartitionHandler): Promise<void> {
    if (partitions.length === 0 || this.signal.aborted) return;
    const next = this.#positions.of(topic);
    const consumer = this.client.consumer({
      assignments: partitions.map((partition) => {
        const offset = next.get(partition);
        return offset === undefined ? { topic, partition } : { topic, partition, offset };
      }),
      maxBytes: FETCH_BYTES,
    });
    this.#consumers.add(consumer);
    try {
      for await (const chunk of consumer) {
        let records = 0;
        for (const record of chunk.records()) {
          if (records === 0 && !next.has(chunk.partition)) records += Number(record.offset);
          records++;
          handler.apply(record);
        }
        this.#positions.count(topic, records);
        next.set(chunk.partition, chunk.nextOffset);
        for (let room = handler.room(); room && !this.signal.aborted; room = handler.room()) await room;
        if (this.signal.aborted) break;
      }
    } finally {
      this.#consumers.delete(consumer);
    }
  }
}
