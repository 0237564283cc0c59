import { type FeedItem, type FeedSource, headers, topics } from '@tickfold/market';
import { connect, type RecordView, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { ingest } from '../src/ingest.ts';
import { Progress } from '../src/progress.ts';

/** What a test reads back of a record. */
export interface Stored {
  partition: number;
  key: string;
  value: string;
  timestampMs: number;
  headers: Record<string, string>;
}

export async function startBroker(options?: Parameters<typeof startEmbeddedBroker>[0]): Promise<EmbeddedBroker> {
  const broker = await startEmbeddedBroker(options);
  onTestFinished(() => broker.stop());
  return broker;
}

export async function connectTo(broker: EmbeddedBroker): Promise<StreamClient> {
  const client = await connect({ brokers: [broker.address], clientId: 'test' });
  onTestFinished(() => client.close());
  return client;
}

export interface Outcome {
  complete: boolean;
  status: Record<string, unknown>;
  metrics: Registry;
}

/** One run of ingest, as the app does it. */
export async function runIngest(
  client: StreamClient,
  feed: FeedSource,
  options: { signal?: AbortSignal; lagMax?: number; onStatus?: (status: Record<string, unknown>) => void } = {},
): Promise<Outcome> {
  let status: Record<string, unknown> = {};
  const metrics = new Registry();
  const reportStatus = (fields: Record<string, unknown>) => {
    status = { ...status, ...fields };
    options.onStatus?.(status);
  };
  const progress = new Progress({ metrics, reportStatus, setReady: () => {} });
  progress.begin(feed, 0);
  const complete = await ingest({
    client,
    feed,
    speed: 0,
    lagMax: options.lagMax ?? 1_000_000,
    progress,
    signal: options.signal ?? new AbortController().signal,
    onFlowing: () => {},
  });
  progress.report();
  return { complete, status, metrics };
}

/** The feed, telling `onItem` of each item before it is yielded, one item a chunk. */
export function watched(feed: FeedSource, onItem: (item: FeedItem) => void): FeedSource {
  return {
    ...feed,
    async *records(from) {
      for await (const chunk of feed.records(from)) {
        for (const item of chunk) {
          onItem(item);
          yield [item];
        }
      }
    },
  };
}

export async function readTopic(client: StreamClient, topic: string): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (const { partition, logStart, high } of await client.admin.watermarks(topic)) {
    if (high === logStart) continue;
    for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
      for (const record of chunk.records()) stored.push(storedOf(record));
      if (chunk.nextOffset >= high) break;
    }
  }
  return stored;
}

/** Records by their position in the source. */
export function byPosition(stored: Stored[]): Stored[] {
  return stored.toSorted((a, b) => Number(a.headers[headers.position]) - Number(b.headers[headers.position]));
}

/** Throws unless every item of the feed is stored once, in order within each partition. */
export async function expectWholeAndOnce(client: StreamClient, items: FeedItem[]): Promise<void> {
  const stored = [...(await readTopic(client, topics.ticks)), ...(await readTopic(client, topics.marketDeadLetter))];
  const sources = stored.map((record) => record.headers[headers.source]);
  const missing = items.filter(({ source }) => !sources.includes(source)).map(({ source }) => source);
  const repeated = sources.filter((source, index) => sources.indexOf(source) !== index);
  const lastPosition = new Map<string, number>();
  const outOfOrder = stored.filter((record) => {
    const lane = `${record.headers[headers.reason] === undefined}${record.partition}`;
    const position = Number(record.headers[headers.position]);
    const isBack = position <= (lastPosition.get(lane) ?? -1);
    lastPosition.set(lane, position);
    return isBack;
  });
  if (missing.length + repeated.length + outOfOrder.length > 0 || stored.length !== items.length) {
    throw new Error(
      `missing ${missing}; repeated ${repeated}; out of order ${outOfOrder.length}; ${stored.length} stored`,
    );
  }
}

function storedOf(record: RecordView): Stored {
  return {
    partition: record.partition,
    key: Buffer.from(record.key ?? []).toString(),
    value: Buffer.from(record.value ?? []).toString('latin1'),
    timestampMs: record.timestampMs,
    headers: Object.fromEntries(record.headers().map(({ key, value }) => [key, Buffer.from(value).toString()])),
  };
}
