import { expect } from '@playwright/test';
import { connect, type RecordView, type StreamClient, type StreamConfig } from '@tickfold/stream';

/**
 * Reads a topic from its start to the high watermarks of now.
 * @param streams `host:port` of our own broker, or how to reach another one
 */
export async function readTopic(
  streams: string | StreamConfig,
  topic: string,
  onRecord: (record: RecordView) => void,
): Promise<number> {
  const config = typeof streams === 'string' ? { brokers: [streams], clientId: 'e2e' } : streams;
  const client = await connect({ ...config, connectTimeoutMs: 10_000 });
  try {
    const waiting = new Map<number, bigint>();
    for (const { partition, logStart, high } of await client.admin.watermarks(topic)) {
      if (high > logStart) waiting.set(partition, high);
    }
    let count = 0;
    if (waiting.size === 0) return 0;
    const consumer = client.consumer({ assignments: [...waiting.keys()].map((partition) => ({ topic, partition })) });
    for await (const chunk of consumer) {
      const end = waiting.get(chunk.partition);
      for (const record of chunk.records()) {
        if (end === undefined || record.offset >= end) break;
        onRecord(record);
        count += 1;
      }
      if (end !== undefined && chunk.nextOffset >= end) waiting.delete(chunk.partition);
      if (waiting.size === 0) break;
    }
    await consumer.close();
    return count;
  } finally {
    await client.close();
  }
}

export async function withClient<Result>(
  broker: string,
  work: (client: StreamClient) => Promise<Result>,
): Promise<Result> {
  const client = await connect({ brokers: [broker], clientId: 'e2e', connectTimeoutMs: 10_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Offsets that a topic holds, by its watermarks: of its records, and of the ends of transactions between them. */
export async function topicLength(client: StreamClient, topic: string): Promise<number> {
  const names = new Set((await client.admin.topics()).map(({ name }) => name));
  if (!names.has(topic)) return 0;
  let total = 0n;
  for (const { logStart, high } of await client.admin.watermarks(topic)) total += high - logStart;
  return Number(total);
}

/** Waits until a topic holds that many records. */
export async function untilLength(broker: string, topic: string, length: number, timeoutMs = 90_000): Promise<void> {
  const records = async (): Promise<number> => {
    const offsets = await withClient(broker, (client) => topicLength(client, topic));
    return offsets < length ? offsets : readTopic(broker, topic, () => {});
  };
  await expect.poll(() => records().catch(() => -1), { timeout: timeoutMs, intervals: [200] }).toBe(length);
}

/** Waits until a group has committed the end of every partition of a topic. */
export async function untilCaughtUp(broker: string, group: string, topic: string, timeoutMs = 120_000): Promise<void> {
  const behind = (client: StreamClient): Promise<boolean> =>
    Promise.all([client.admin.watermarks(topic), client.admin.committedOffsets(group, topic)]).then(
      ([watermarks, committed]) =>
        watermarks.some(({ partition, logStart, high }) => high > logStart && committed.get(partition) !== high),
    );
  await expect
    .poll(() => withClient(broker, behind).catch(() => true), { timeout: timeoutMs, intervals: [200] })
    .toBe(false);
}

/**
 * The anomalies that a topic of ticks may not show: a source id twice, or a symbol's ticks out of their order.
 *
 * @param orderOf a number that rises along the source, from a record
 */
export class TickAudit {
  readonly sources = new Set<string>();
  readonly repeated: string[] = [];
  readonly outOfOrder: string[] = [];
  #lastOfSymbol = new Map<string, number>();

  add(record: RecordView, order: number): void {
    const source = record.header('source') ?? '';
    if (this.sources.has(source)) this.repeated.push(source);
    this.sources.add(source);
    const symbol = Buffer.from(record.key ?? []).toString('latin1');
    const last = this.#lastOfSymbol.get(symbol) ?? -1;
    if (order <= last) this.outOfOrder.push(source);
    this.#lastOfSymbol.set(symbol, order);
  }
}
