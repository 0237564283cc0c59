import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  groups,
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  type Promotion,
  type PromotionCommand,
  promotionCommandSchema,
  promotionSchema,
  SchemaError,
  topics,
} from '@tickfold/market';
import { type Champion, championOf } from '@tickfold/promotion';
import {
  type ConsumerOptions,
  firstOffsetWhere,
  type OutgoingRecord,
  type RecordChunk,
  type RecordView,
  type StreamClient,
  type TransactionalProducer,
} from '@tickfold/stream';
import { judgeCommand } from './judge-command.ts';
import { inputOf, readStanding, type Standing } from './standing.ts';

/** Between these, health checks get their turn. */
const RECORDS_PER_TURN = 500;
/** How often a champion that has not started yet is looked for. */
const TOPIC_POLL_MS = 500;
/** Copied decisions are seen this much later at most, beside the time that the commit itself takes. */
const COMMIT_EVERY_MS = 50;

const utf8 = new TextDecoder();

export interface Progress extends Champion {
  /** In `live.decisions`, since the start of the log. */
  decisions: number;
  /** Decisions of the champion that are not copied yet, of all partitions. */
  lag: number;
  /** Answers in `live.promotions`, refusals included. */
  promotions: number;
  /** Records among the champion's decisions that no processor wrote. */
  foreign: number;
}

export interface DecisionsOptions {
  client: StreamClient;
  /** Versions that run, the first of them champion where nobody else is. */
  models: readonly [string, ...string[]];
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  /** Wall clock, UTC milliseconds. */
  now?: () => number;
}

/**
 * Copies the champion's decisions into `live.decisions`, and answers who asks for another champion, until the signal is
 * aborted. Everything is resumed from what was committed before, so it may end at any moment, however it ends; who runs
 * next shuts out the one before:
 *
 * - a promotion counts from the first input on that `live.decisions` does not hold yet: it is committed with the last
 *   decisions of its predecessor or behind them, and before the new champion's first decision is sent;
 * - a champion that is behind is waited for; one that is ahead is searched through for that input.
 *
 * @throws StreamError `disconnected` and other passing ones (see `runResumably`), `foreign-output`
 */
export async function runDecisions(options: DecisionsOptions): Promise<void> {
  const { client, signal } = options;
  await client.admin.ensureTopics([
    { name: topics.liveDecisions, partitionCount: MARKET_PARTITIONS },
    ...[topics.promotions, topics.promotionCommands, topics.liveDeadLetter].map((name) => ({
      name,
      partitionCount: 1,
    })),
  ]);
  const producer = await client.transactionalProducer({ transactionalId: groups.decisions });
  try {
    const commits = new Commits(producer);
    const desk = new Desk(options, commits, await readStanding(client));
    await desk.ensureChampion();
    while (!signal.aborted) await desk.followChampion();
    await commits.now();
  } finally {
    // The run's own error, if any, is on its way already; a second one from closing would hide it.
    await producer.close().catch(() => {});
  }
}

/** A producer whose records are committed soon after they were sent. */
class Commits {
  readonly #producer: TransactionalProducer;
  #timer: NodeJS.Timeout | undefined;

  constructor(producer: TransactionalProducer) {
    this.#producer = producer;
  }

  /** @returns what to wait for before the next call, if anything */
  send(record: OutgoingRecord): Promise<void> | undefined {
    // Where that commit fails the producer is dead, and the next call says why.
    this.#timer ??= setTimeout(() => this.now().catch(() => {}), COMMIT_EVERY_MS);
    return this.#producer.send(record);
  }

  /** Resolves when all that was sent is durable, and seen. @throws StreamError */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#producer.commit();
  }
}

/** Where decisions are copied and commands answered, one after the other. */
class Desk {
  readonly #options: DecisionsOptions;
  readonly #commits: Commits;
  readonly #standing: Standing;
  readonly #now: () => number;
  #champion: Champion;
  readonly #lags = new Map<number, number>();
  #foreign = 0;

  constructor(options: DecisionsOptions, commits: Commits, standing: Standing) {
    this.#options = options;
    this.#commits = commits;
    this.#standing = standing;
    this.#now = options.now ?? Date.now;
    this.#champion = championOf(standing.promotions);
  }

  /** The first champion; the last one again where a quota removed the whole audit stream. */
  async ensureChampion(): Promise<void> {
    if (this.#champion.champion !== null) return;
    const atMs = this.#now();
    await this.#record({
      commandId: null,
      action: 'initial',
      champion: this.#standing.lastModel ?? this.#options.models[0],
      previous: null,
      by: 'decisions',
      askedAtMs: atMs,
      atMs,
      fromInput: this.#standing.nextInput.map(Number),
      reason: null,
    });
  }

  /** Copies until there is another champion, the one that was missing may have come, or the signal is aborted. */
  async followChampion(): Promise<void> {
    const { client, signal } = this.#options;
    const { champion } = this.#champion;
    const decisions = await this.#unreadDecisions();
    this.#tellProgress();
    const commands = { topic: topics.promotionCommands, partition: 0, offset: this.#standing.nextCommand };
    const consumer = client.consumer({ assignments: [commands, ...decisions] });
    const stop = () => consumer.close();
    signal.addEventListener('abort', stop);
    const lookAgain = decisions.length === 0 ? setTimeout(stop, TOPIC_POLL_MS) : undefined;
    try {
      if (signal.aborted) return;
      for await (const chunk of consumer) {
        if (chunk.topic === topics.promotionCommands) await this.#answerAll(chunk);
        else await this.#copy(chunk);
        this.#tellProgress();
        if (this.#champion.champion !== champion) break;
        await nextTurn();
      }
    } finally {
      clearTimeout(lookAgain);
      signal.removeEventListener('abort', stop);
      await consumer.close();
    }
  }

  /** Where the champion's decisions go on; nowhere while it has made no topic for them. */
  async #unreadDecisions(): Promise<ConsumerOptions['assignments']> {
    const { client } = this.#options;
    const topic = modelTopics(this.#champion.champion!).decisions;
    this.#lags.clear();
    if (!(await client.admin.topics()).some(({ name }) => name === topic)) return [];
    return Promise.all(
      (await client.admin.watermarks(topic)).map(async ({ partition, high }) => {
        const next = this.#standing.nextInput[partition]!;
        // A foreign record must not hide those before it: the search may end too early, never too late.
        const offset = await firstOffsetWhere(client, topic, partition, (record) => (inputOf(record) ?? next) >= next);
        this.#lags.set(partition, Math.max(0, Number(high - offset)));
        return { topic, partition, offset };
      }),
    );
  }

  async #copy(chunk: RecordChunk): Promise<void> {
    const { partition } = chunk;
    const { nextInput } = this.#standing;
    let read = 0;
    for (const record of chunk.records()) {
      const input = inputOf(record);
      if (input === undefined) this.#foreign++;
      // A version that was behind when it became champion still writes what its predecessor decided.
      else if (input >= nextInput[partition]!) {
        nextInput[partition] = input + 1n;
        this.#standing.decisions++;
        const room = this.#commits.send(this.#liveDecision(record));
        if (room !== undefined) await room;
      }
      if (++read % RECORDS_PER_TURN !== 0) continue;
      await nextTurn();
      if (this.#options.signal.aborted) return;
    }
    this.#lags.set(partition, Number(chunk.highWatermark - chunk.nextOffset));
  }

  #liveDecision(record: RecordView): OutgoingRecord {
    const { partition, key, value, timestampMs } = record;
    const copied: Record<string, string> = {};
    for (const { key: name, value: bytes } of record.headers()) copied[name] = utf8.decode(bytes);
    copied[headers.model] = this.#champion.champion!;
    return { topic: topics.liveDecisions, partition, key, value, timestampMs, headers: copied };
  }

  async #answerAll(chunk: RecordChunk): Promise<void> {
    for (const record of chunk.records()) {
      const command = decodeCommand(record);
      if (command instanceof SchemaError) await this.#sendDeadLetter(record, command.message);
      else if (!this.#standing.answered.has(command.id)) await this.#answer(command, record.offset);
      this.#standing.nextCommand = record.offset + 1n;
    }
  }

  async #answer(command: PromotionCommand, offset: bigint): Promise<void> {
    const atMs = this.#now();
    const verdict = judgeCommand(command, this.#champion, this.#options.models, atMs);
    const current = this.#champion.champion!;
    const refused = verdict.action === 'refused';
    await this.#record(
      {
        commandId: command.id,
        action: verdict.action,
        champion: refused ? current : verdict.champion,
        previous: current,
        by: command.by,
        askedAtMs: command.atMs,
        atMs,
        fromInput: refused ? [] : this.#standing.nextInput.map(Number),
        reason: refused ? verdict.reason : null,
      },
      offset,
    );
  }

  /** Committed when resolved. @param command offset of the command that it answers */
  async #record(promotion: Promotion, command?: bigint): Promise<void> {
    this.#commits.send({
      topic: topics.promotions,
      partition: 0,
      key: null,
      value: promotionSchema.encode(promotion),
      timestampMs: promotion.atMs,
      headers: {
        ...(command === undefined ? {} : { [headers.input]: String(command) }),
        [headers.schema]: promotionSchema.id,
      },
    });
    await this.#commits.now();
    const { promotions, answered } = this.#standing;
    promotions.push(promotion);
    if (promotion.commandId !== null) answered.add(promotion.commandId);
    this.#champion = championOf(promotions);
  }

  async #sendDeadLetter(record: RecordView, reason: string): Promise<void> {
    const { topic, partition, offset, key, value, timestampMs } = record;
    this.#commits.send({
      topic: topics.liveDeadLetter,
      partition: 0,
      key,
      value,
      timestampMs,
      headers: {
        [headers.source]: `${topic}/${partition}:${offset}`,
        [headers.reason]: reason,
        [headers.app]: groups.decisions,
        [headers.input]: String(offset),
      },
    });
    await this.#commits.now();
  }

  #tellProgress(): void {
    let lag = 0;
    for (const each of this.#lags.values()) lag += each;
    const { decisions, promotions } = this.#standing;
    this.#options.onProgress({
      ...this.#champion,
      decisions,
      lag,
      promotions: promotions.length,
      foreign: this.#foreign,
    });
  }
}

function decodeCommand(record: RecordView): PromotionCommand | SchemaError {
  try {
    return promotionCommandSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
  } catch (error) {
    if (error instanceof SchemaError) return error;
    throw error;
  }
}
