import { setTimeout as delay } from 'node:timers/promises';
import { type FeedItem, type FeedSource, isMalformed, MARKET_PARTITIONS, topics } from '@tickfold/market';
import { partitionOfKey, type StreamClient, type TransactionalProducer } from '@tickfold/stream';
import { LagGate } from './lag-gate.ts';
import { deadLetterRecord, tickRecord } from './outgoing.ts';
import { Pacer } from './pacer.ts';
import { COMMIT_EVERY_MS, PositionCommits } from './position-commits.ts';
import type { Progress } from './progress.ts';
import { readResumePosition } from './resume.ts';

const TRANSACTIONAL_ID = 'market.ingest';
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
 * signal is aborted. Every position is in the log once, in whatever way earlier runs ended: ticks, dead letters and the
 * position behind them are committed together.
 *
 * @returns true when the source is exhausted
 * @throws StreamError when the broker goes away: run again with a new client
 * @throws UserError when `market.ticks` holds another source's ticks
 * @throws FeedError when a file cannot be read on
 */
export async function ingest(run: IngestRun): Promise<boolean> {
  const { client, feed, speed, signal } = run;
  await client.admin.ensureTopics([
    { name: topics.ticks, partitionCount: MARKET_PARTITIONS },
    { name: topics.marketDeadLetter, partitionCount: MARKET_PARTITIONS },
    { name: topics.source, partitionCount: 1 },
  ]);
  // Another source is refused before it shuts out the run that may be at work on the one that is held.
  await readResumePosition(client, feed);
  const producer = await client.transactionalProducer({ transactionalId: TRANSACTIONAL_ID });
  try {
    // The run before is shut out, and what it left open is taken back: the position stays what it is now.
    const position = await readResumePosition(client, feed);
    const commits = new PositionCommits({ producer, feed, speed, position });
    await unlessAborted(signal, commits.all());
    run.progress.report({ resumedFrom: position });
    run.onFlowing();
    return await sendAll(run, { producer, commits, position });
  } finally {
    const closed = producer.close().catch(() => {});
    // What is not committed is taken back, and whoever has to end does not wait long for a broker that may be ending too.
    await (signal.aborted ? Promise.race([closed, delay(PARTING_MS, undefined, { ref: false })]) : closed);
  }
}

interface Output {
  producer: TransactionalProducer;
  commits: PositionCommits;
  /** Of the first item to send. */
  position: number;
}

async function sendAll(run: IngestRun, { producer, commits, position }: Output): Promise<boolean> {
  const { feed, progress, signal } = run;
  const pacer = new Pacer(run.speed, () => performance.now());
  const gate = new LagGate({
    admin: run.client.admin,
    lagMax: run.lagMax,
    signal,
    onWaiting: (waiting) => progress.report({ waitingForEnrichment: waiting }),
    commit: () => unlessAborted(signal, commits.all()),
  });
  const partitions = new PartitionBySymbol();

  for await (const chunk of chunksOf(feed, position, commits)) {
    for (const item of chunk) {
      if (signal.aborted) return false;
      let room: Promise<void> | undefined;
      if (isMalformed(item)) {
        room = producer.send(deadLetterRecord(item, feed));
        progress.lineMalformed();
      } else {
        const waitMs = pacer.waitMs(item.eventTimeMs);
        if (waitMs > 0) {
          progress.reportNowAndThen(performance.now());
          await committingMeanwhile(commits, waitMs, signal);
          if (signal.aborted) return false;
        }
        room = producer.send(tickRecord(item, partitions.of(item.symbol)));
        progress.tickSent(item);
      }
      if (room !== undefined) await unlessAborted(signal, room);
      commits.reached(item.position + 1);
      commits.nowAndThen();
      if (gate.count()) await gate.pass();
    }
    progress.reportNowAndThen(performance.now());
  }
  await unlessAborted(signal, commits.all());
  return !signal.aborted;
}

/** The source's items; what was sent before does not wait for a slow source. */
async function* chunksOf(feed: FeedSource, position: number, commits: PositionCommits): AsyncGenerator<FeedItem[]> {
  const chunks = feed.records(position)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setInterval(() => commits.nowAndThen(), COMMIT_EVERY_MS);
      const next = await chunks.next().finally(() => clearInterval(timer));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** Waits until the next item may go; what was sent before does not wait for it. */
async function committingMeanwhile(commits: PositionCommits, waitMs: number, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + waitMs;
  for (let leftMs = waitMs; leftMs > 0 && !signal.aborted; leftMs = endMs - performance.now()) {
    await delay(Math.min(leftMs, COMMIT_EVERY_MS), undefined, { signal }).catch(() => {});
    commits.nowAndThen();
  }
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
