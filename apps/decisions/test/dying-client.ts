import {
  type GroupOffsets,
  type OutgoingRecord,
  type StreamClient,
  StreamError,
  type TransactionalProducer,
} from '@tickfold/stream';

/** When a process dies to the broker, and what of its last words counts. */
export interface Fuse {
  /** Calls of `send` and `commit` that still work. */
  callsLeft: number;
  /** Whether the commit in which it dies is carried out nevertheless. */
  lastCommitCounts: boolean;
}

/** A client whose transactional producers die when the fuse has burnt down, and leave their transaction open. */
export function dyingClient(client: StreamClient, fuse: Fuse): StreamClient {
  return {
    admin: client.admin,
    volumes: client.volumes,
    consumer: (options) => client.consumer(options),
    groupConsumer: (options) => client.groupConsumer(options),
    lastRecord: (topic, partition) => client.lastRecord(topic, partition),
    close: () => client.close(),
    producer: (options) => client.producer(options),
    transactionalProducer: async (options) =>
      new DyingProducer(await client.transactionalProducer(options), { ...fuse }),
  };
}

class DyingProducer implements TransactionalProducer {
  readonly #producer: TransactionalProducer;
  readonly #fuse: Fuse;

  constructor(producer: TransactionalProducer, fuse: Fuse) {
    this.#producer = producer;
    this.#fuse = fuse;
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    if (this.#fuse.callsLeft-- > 0) return this.#producer.send(record);
    const dead = Promise.reject(killed());
    // As with any producer, the failure meets a caller who lets go of this in `commit`.
    dead.catch(() => {});
    return dead;
  }

  async flush(): Promise<void> {
    await this.#producer.flush();
  }

  async commit(offsets?: readonly GroupOffsets[]): Promise<void> {
    const { callsLeft, lastCommitCounts } = this.#fuse;
    this.#fuse.callsLeft--;
    if (callsLeft > 0 || (callsLeft === 0 && lastCommitCounts)) await this.#producer.commit(offsets);
    if (callsLeft <= 0) throw killed();
  }

  abort(): Promise<void> {
    return this.#producer.abort();
  }

  /** Who was killed takes nothing back: the next one does. */
  async close(): Promise<void> {
    if (this.#fuse.callsLeft > 0) await this.#producer.close();
  }
}

function killed(): StreamError {
  return new StreamError('disconnected', 'killed by the test');
}
