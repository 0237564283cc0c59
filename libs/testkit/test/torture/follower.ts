import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { headers, MARKET_PARTITIONS, modelTopics, topics } from '@tickfold/market';
import { connect, type RecordView, type StreamClient, type StreamConfig, StreamError } from '@tickfold/stream';

export const MODELS: readonly [string, string] = ['reversion-1', 'reversion-2'];

/** All that the system makes of its source, but for what tells of its runs. */
export const FOLLOWED: readonly string[] = [
  topics.ticks,
  topics.marketDeadLetter,
  topics.enriched,
  ...MODELS.flatMap((model) => {
    const { decisions, fills, equity, deadLetter } = modelTopics(model);
    return [decisions, fills, equity, deadLetter];
  }),
  topics.liveDecisions,
  topics.liveDeadLetter,
];

const AGAIN_AFTER_MS = 200;

/** Topic and partition → what its records say, in their order. */
export type Content = Map<string, string[]>;

/** Reads everything that the system commits, as it comes, through broken connections. */
export class Follower {
  readonly content: Content = new Map();
  /** Between two records of any topic, since the first. */
  longestStallMs = 0;
  readonly #config: StreamConfig;
  readonly #next = new Map<string, bigint>();
  readonly #stop = new AbortController();
  #lastMs: number | undefined;
  #interruptions = 0;

  constructor(config: StreamConfig) {
    this.#config = config;
  }

  get interruptions(): number {
    return this.#interruptions;
  }

  count(topic: string): number {
    let count = 0;
    for (let partition = 0; partition < MARKET_PARTITIONS; partition++) {
      count += this.content.get(`${topic}/${partition}`)?.length ?? 0;
    }
    return count;
  }

  get total(): number {
    return FOLLOWED.reduce((sum, topic) => sum + this.count(topic), 0);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Resolves once it is stopped. @throws what is no passing error */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const client = await connect(this.#config, signal);
        try {
          await this.#follow(client);
        } finally {
          await client.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof StreamError && error.retry)) throw error;
        this.#interruptions++;
        await delay(AGAIN_AFTER_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Until there are more topics to follow, or it is stopped. */
  async #follow(client: StreamClient): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const present = (await client.admin.topics()).filter(({ name }) => FOLLOWED.includes(name));
      const assignments = present.flatMap(({ name, partitionCount }) =>
        Array.from({ length: partitionCount }, (_, partition) => {
          const offset = this.#next.get(`${name}/${partition}`);
          return { topic: name, partition, ...(offset !== undefined && { offset }) };
        }),
      );
      if (assignments.length === 0) {
        await delay(AGAIN_AFTER_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      const consumer = client.consumer({ assignments });
      const end = () => void consumer.close();
      signal.addEventListener('abort', end);
      const lookForMore = present.length < FOLLOWED.length ? setTimeout(end, 2_000) : undefined;
      try {
        for await (const chunk of consumer) {
          const lane = `${chunk.topic}/${chunk.partition}`;
          for (const record of chunk.records()) this.#take(lane, record);
          this.#next.set(lane, chunk.nextOffset);
        }
      } finally {
        clearTimeout(lookForMore);
        signal.removeEventListener('abort', end);
      }
    }
  }

  #take(lane: string, record: RecordView): void {
    const nowMs = performance.now();
    this.longestStallMs = Math.max(this.longestStallMs, nowMs - (this.#lastMs ?? nowMs));
    this.#lastMs = nowMs;
    const held = this.content.get(lane);
    if (held === undefined) this.content.set(lane, [contentOf(record)]);
    else held.push(contentOf(record));
  }
}

/** All of a record but its offset, and those that it was made from: ends of transactions move them. */
function contentOf(record: RecordView): string {
  const hash = createHash('sha1').update(record.value ?? '');
  for (const { key, value } of record.headers()) if (key !== headers.input) hash.update(key).update(value);
  const key = Buffer.from(record.key ?? []).toString();
  return `${record.header(headers.source)} ${key} ${record.timestampMs} ${hash.digest('base64')}`;
}
