import { connect, isRetriable, type StreamClient } from '@tickfold/stream';
import { type Names, PARTITIONS } from './names.ts';

const RECORDS_A_TRANSACTION = 1_000;
const KEYS = 500;
const RETRY_MS = 50;

/**
 * Writes the input, each record with the position that it has in the source in one transaction: so it goes on where it was,
 * whenever the broker dies.
 */
export class Feeder {
  readonly #address: string;
  readonly #names: Names;
  #allowed = 0;
  #onAllowed: () => void = () => {};
  #stopped = false;

  constructor(address: string, names: Names) {
    this.#address = address;
    this.#names = names;
  }

  /** How many records there may be from now on. */
  allow(count: number): void {
    this.#allowed = count;
    this.#onAllowed();
  }

  stop(): void {
    this.#stopped = true;
    this.#onAllowed();
  }

  /** Resolves when `total` records are committed, or it was stopped. */
  async run(total: number): Promise<void> {
    for (;;) {
      try {
        const client = await connect({ brokers: [this.#address], clientId: 'feeder' });
        try {
          return await this.#feed(client, total);
        } finally {
          await client.close();
        }
      } catch (error) {
        if (!isRetriable(error)) throw error;
        if (this.#stopped) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #feed(client: StreamClient, total: number): Promise<void> {
    const { input, feeder } = this.#names;
    const producer = await client.transactionalProducer({ transactionalId: feeder, lingerMs: 0 });
    const committed = await client.admin.committedOffsets(feeder, input);
    let position = Number(committed.get(0) ?? 0n);
    while (position < total && !this.#stopped) {
      const end = Math.min(position + RECORDS_A_TRANSACTION, total, this.#allowed);
      if (end === position) {
        await new Promise<void>((resolve) => {
          this.#onAllowed = resolve;
        });
        continue;
      }
      for (; position < end; position++) {
        const value = Buffer.from(String(position));
        const key = `key-${(position * 7919) % KEYS}`;
        const wait = producer.send({ topic: input, key, value, timestampMs: position });
        if (wait !== undefined) await wait;
      }
      await producer.commit([{ group: feeder, topic: input, offsets: new Map([[0, BigInt(position)]]) }]);
    }
    await producer.close();
  }
}

/** Makes the input before anybody looks for it. */
export async function makeInput(address: string, { input }: Names): Promise<void> {
  const client = await connect({ brokers: [address], clientId: 'feeder' });
  try {
    await client.admin.ensureTopics([{ name: input, partitionCount: PARTITIONS }]);
  } finally {
    await client.close();
  }
}
