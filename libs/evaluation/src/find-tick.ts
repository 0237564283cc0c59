import { type EnrichedTick, enrichedTickSchema, headers, type Run, topics } from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';

/** Somewhere that may hold the enriched ticks that a side was made from. */
export interface TickLog {
  client: StreamClient;
  close(): Promise<void>;
}

/** A side with what wrote it last. */
export interface TickReader {
  client: StreamClient;
  run: Run | undefined;
}

export interface TickPlace {
  partition: number;
  inputOffset: bigint;
  source: string;
}

/**
 * Finds the enriched ticks that were compared: in the snapshot that a side was replayed from, else in the live stream. The
 * source id must be the same, or it is another log's tick.
 *
 * @param openSnapshot of that name and identity; undefined where it is gone
 */
export class TickFinder {
  readonly #sides: TickReader[];
  readonly #openSnapshot: (name: string, id: string) => Promise<TickLog | undefined>;
  readonly #snapshots = new Map<string, TickLog | undefined>();

  constructor(sides: TickReader[], openSnapshot: (name: string, id: string) => Promise<TickLog | undefined>) {
    this.#sides = sides;
    this.#openSnapshot = openSnapshot;
  }

  /** The tick with its features, or null where it is no longer there. */
  async find(place: TickPlace): Promise<EnrichedTick | null> {
    for (const { run } of this.#sides) {
      const snapshot = run?.inputId == null ? undefined : await this.#snapshot(run.input, run.inputId);
      const tick = snapshot && (await tickAt(snapshot.client, place));
      if (tick) return tick;
    }
    for (const { client } of this.#sides) {
      const tick = await tickAt(client, place);
      if (tick) return tick;
    }
    return null;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#snapshots.values()].map((log) => log?.close()));
  }

  async #snapshot(name: string, id: string): Promise<TickLog | undefined> {
    if (!this.#snapshots.has(id)) this.#snapshots.set(id, await this.#openSnapshot(name, id));
    return this.#snapshots.get(id);
  }
}

async function tickAt(client: StreamClient, { partition, inputOffset, source }: TickPlace) {
  const record = await recordAt(client, topics.enriched, partition, inputOffset);
  if (record === undefined || record.header(headers.source) !== source) return undefined;
  return { ...enrichedTickSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema)) };
}

async function recordAt(
  client: StreamClient,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<RecordView | undefined> {
  if (!(await client.admin.topics()).some(({ name }) => name === topic)) return undefined;
  const held = (await client.admin.watermarks(topic)).find((one) => one.partition === partition);
  if (held === undefined || offset < held.logStart || offset >= held.high) return undefined;
  const consumer = client.consumer({ assignments: [{ topic, partition, offset }], maxBytes: 1 });
  try {
    for await (const chunk of consumer) {
      for (const record of chunk.records()) return record.offset === offset ? record : undefined;
    }
    return undefined;
  } finally {
    await consumer.close();
  }
}
