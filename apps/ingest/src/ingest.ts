import { setTimeout as delay } from 'node:timers/promises';
import {
  type FeedRecord,
  type FeedSource,
  headers,
  isMalformed,
  MARKET_PARTITIONS,
  type MalformedRecord,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import { type Producer, partitionOfKey, type StreamClient } from '@tickfold/stream';
import { LagGate } from './lag-gate.ts';
import { Pacer } from './pacer.ts';
import type { Progress } from './progress.ts';
import {
  CHECKPOINT_POSITIONS,
  checkSource,
  DEAD_LETTER_PARTITION,
  firstPossiblyMissing,
  INGEST_APP,
  type ResumePoint,
  readResumePoint,
} from './resume.ts';

const PARTING_MS = 1_000;

export interface IngestRun {
  client: StreamClient;
  feed: FeedSource;
  /** Event time passes this many times faster than the clock; 0: as fast as it goes. */
  speed: number;
  /** Ticks that enrichment may be behind before ingest waits for it. */
  lagMax: number;
  progress: Progress;
  signal: AbortSignal;
  /** Told once the log was read and ticks begin to flow. */
  onFlowing(): void;
}

/**
 * Sends what the log lacks of a source, and resolves when the source is exhausted and all of it is durable, or when the
 * signal is aborted. Every position is sent once, in whatever way earlier runs ended: each partition, and the dead
 * letters, continue behind the last position that they hold.
 *
 * @returns true when the source is exhausted
 * @throws StreamError when the broker goes away: run again with a new client
 * @throws UserError when `market.ticks` holds another source's ticks
 * @throws FeedError when a file cannot be read on
 */
export async function ingest(run: IngestRun): Promise<boolean> {
  const { client, feed } = run;
  await client.admin.ensureTopics([
    { name: topics.ticks, partitionCount: MARKET_PARTITIONS },
    { name: topics.marketDeadLetter, partitionCount: MARKET_PARTITIONS },
    { name: topics.source, partitionCount: 1 },
  ]);
  await checkSource(client, feed);
  const producer = client.producer();
  try {
    // What an interrupted run still had on its way lies before this record in the volume's one journal: once it is
    // durable, the partitions end where they will stay.
    await sendSourceSession(producer, run);
    await producer.flush();
    const resume = await readResumePoint(client);
    run.progress.report({ resumedFrom: Math.max(resume.deadLetters, ...resume.ticks) + 1 });
    run.onFlowing();
    return await sendAll(run, producer, resume);
  } finally {
    const closed = producer.close().catch(() => {});
    // What is on its way is seen off, but whoever has to end does not wait long for a broker that may be ending too: the
    // log tells the next run how far this one got.
    await (run.signal.aborted ? Promise.race([closed, delay(PARTING_MS, undefined, { ref: false })]) : closed);
  }
}

async function sendAll(run: IngestRun, producer: Producer, resume: ResumePoint): Promise<boolean> {
  const { feed, progress, signal } = run;
  const pacer = new Pacer(run.speed, () => performance.now());
  const gate = new LagGate({
    admin: run.client.admin,
    lagMax: run.lagMax,
    signal,
    onWaiting: (waiting) => progress.report({ waitingForEnrichment: waiting }),
  });
  const partitions = new PartitionBySymbol();

  for await (const chunk of feed.records(firstPossiblyMissing(resume))) {
    for (const item of chunk) {
      if (signal.aborted) return false;
      if (item.position % CHECKPOINT_POSITIONS === 0) await unlessAborted(signal, checkpoint(run, producer));
      let room: Promise<void> | undefined;
      if (isMalformed(item)) {
        if (item.position <= resume.deadLetters) continue;
        room = sendDeadLetter(producer, item, feed);
        progress.lineMalformed();
      } else {
        const partition = partitions.of(item.symbol);
        if (item.position <= resume.ticks[partition]!) {
          progress.tickSkipped();
          continue;
        }
        const waitMs = pacer.waitMs(item.eventTimeMs);
        if (waitMs > 0) {
          progress.reportNowAndThen(performance.now());
          await delay(waitMs, undefined, { signal }).catch(() => {});
          if (signal.aborted) return false;
        }
        room = sendTick(producer, item, partition);
        progress.tickSent(item);
      }
      if (room !== undefined) await unlessAborted(signal, room);
      if (gate.count()) await gate.pass();
    }
    progress.reportNowAndThen(performance.now());
  }
  await unlessAborted(signal, producer.flush());
  return !signal.aborted;
}

/** See CHECKPOINT_POSITIONS. The source is told again, so that the volume's cap never takes the last word about it. */
async function checkpoint(run: IngestRun, producer: Producer): Promise<void> {
  await sendSourceSession(producer, run);
  await producer.flush();
}

/** Waits for the promise, or for the end of the process. Leaves no listener behind: it is called for as long as ticks flow. */
function unlessAborted(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => resolve();
    signal.addEventListener('abort', end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    if (signal.aborted) end();
  });
}

function sendTick(producer: Producer, record: FeedRecord, partition: number): Promise<void> | undefined {
  return producer.send({
    topic: topics.ticks,
    partition,
    key: record.symbol,
    value: record.line,
    timestampMs: record.eventTimeMs,
    // Names that are computed for every tick would cost more than the rest of its record.
    headers: {
      kind: record.kind,
      source: record.source,
      position: String(record.position),
    } satisfies Partial<Record<keyof typeof headers, string>>,
  });
}

function sendDeadLetter(producer: Producer, record: MalformedRecord, feed: FeedSource): Promise<void> | undefined {
  return producer.send({
    topic: topics.marketDeadLetter,
    partition: DEAD_LETTER_PARTITION,
    key: null,
    value: record.line,
    // A line without a readable time has at least its day.
    timestampMs: Date.parse(`${feed.eventDate}T00:00:00Z`),
    headers: {
      [headers.app]: INGEST_APP,
      [headers.source]: record.source,
      [headers.position]: String(record.position),
      [headers.reason]: record.reason,
    },
  });
}

async function sendSourceSession(producer: Producer, { feed, speed }: IngestRun): Promise<void> {
  const { identity, description, eventDate } = feed;
  await producer.send({
    topic: topics.source,
    partition: 0,
    key: null,
    value: sourceSessionSchema.encode({ identity, description, eventDate, speed }),
    timestampMs: Date.parse(`${eventDate}T00:00:00Z`),
    headers: { [headers.app]: INGEST_APP, [headers.schema]: sourceSessionSchema.id },
  });
}

/** Where a symbol goes: the partition that every Kafka client would choose for its key. */
class PartitionBySymbol {
  readonly #known = new Map<string, number>();

  of(symbol: string): number {
    let partition = this.#known.get(symbol);
    if (partition === undefined) {
      partition = partitionOfKey(Buffer.from(symbol), MARKET_PARTITIONS);
      this.#known.set(symbol, partition);
    }
    return partition;
  }
}
