import { type OutgoingRecord, type Producer, type StreamClient, StreamError } from '@tickfold/stream';

/** When a process dies to the broker, and what of its last words arrives. */
export interface Fuse {
  /** Calls of `send` and `flush` that still work. */
  callsLeft: number;
  /**
   * Of what was sent and not flushed, the share that is in the log nevertheless: the first of these for the first
   * partition that was sent to, and so on, round again. Within a partition the oldest arrive, as in real life.
   */
  arriving: number[];
}

/** A client whose producers die when the fuse has burnt down. What was not flushed by then is lost as the fuse says. */
export function dyingClient(client: StreamClient, fuse: Fuse): StreamClient {
  return {
    admin: client.admin,
    volumes: client.volumes,
    consumer: (options) => client.consumer(options),
    groupConsumer: (options) => client.groupConsumer(options),
    lastRecord: (topic, partition) => client.lastRecord(topic, partition),
    close: () => client.close(),
    producer: () => new DyingProducer(client.producer(), { ...fuse }),
    transactionalProducer: (options) => client.transactionalProducer(options),
  };
}

class DyingProducer implements Producer {
  readonly #producer: Producer;
  readonly #fuse: Fuse;
  readonly #unflushed = new Map<string, OutgoingRecord[]>();

  constructor(producer: Producer, fuse: Fuse) {
    this.#producer = producer;
    this.#fuse = fuse;
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    const place = `${record.topic}/${record.partition}`;
    this.#unflushed.set(place, [...(this.#unflushed.get(place) ?? []), record]);
    if (this.#fuse.callsLeft-- > 0) return undefined;
    const dying = this.#die();
    // As with any producer, the failure meets a caller who lets go of this in `flush`.
    dying.catch(() => {});
    return dying;
  }

  async flush(): Promise<void> {
    if (this.#fuse.callsLeft-- > 0) await this.#write(() => 1);
    else await this.#die();
  }

  async close(): Promise<void> {
    // Whether dead or not: what is left was lost, or is flushed already.
    await this.#producer.close();
  }

  async #die(): Promise<never> {
    const { arriving, callsLeft } = this.#fuse;
    if (callsLeft === -1) await this.#write((index) => arriving[index % arriving.length]!);
    throw new StreamError('disconnected', 'killed by the test');
  }

  async #write(shareOf: (index: number) => number): Promise<void> {
    const places = [...this.#unflushed.values()];
    this.#unflushed.clear();
    for (const [index, records] of places.entries()) {
      const count = Math.round(records.length * shareOf(index));
      for (const record of records.slice(0, count)) await this.#producer.send(record);
    }
    await this.#producer.flush();
  }
}
