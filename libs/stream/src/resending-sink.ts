import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { isRetriable, StreamError } from './errors.ts';
import type { BatchEntry, BatchSink } from './producer.ts';
import { produce } from './requests.ts';

const MIN_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 500;

/**
 * Sends again, over a new connection, what a broken one left unanswered. The batches name their producer and count its
 * records, so the broker knows those that it has already; a partition is in one request at a time, so its order stays.
 * What a broker refused is not sent again.
 */
export class ResendingSink implements BatchSink {
  readonly #open: () => Promise<Connection>;
  readonly #deliveryTimeoutMs: number;
  #connecting: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(open: () => Promise<Connection>, first: Connection, deliveryTimeoutMs: number) {
    this.#open = open;
    this.#connecting = Promise.resolve(first);
    this.#deliveryTimeoutMs = deliveryTimeoutMs;
  }

  async append(entries: BatchEntry[], acks: -1 | 1): Promise<StreamError[]> {
    const deadline = performance.now() + this.#deliveryTimeoutMs;
    let backoffMs = MIN_BACKOFF_MS;
    for (;;) {
      const connecting = this.#connected();
      try {
        return await produce(await connecting, acks, entries);
      } catch (error) {
        if (this.#isClosed || !isRetriable(error)) throw error;
        if (performance.now() + backoffMs > deadline) throw this.#undelivered(error);
        if (this.#connecting === connecting) this.#connecting = undefined;
      }
      await delay(backoffMs);
      backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#connecting?.then((connection) => connection.close()).catch(() => {});
  }

  #connected(): Promise<Connection> {
    this.#connecting ??= this.#open();
    return this.#connecting;
  }

  #undelivered(cause: StreamError): StreamError {
    const what = `records were not acknowledged within ${this.#deliveryTimeoutMs} ms: ${cause.message}`;
    return new StreamError('disconnected', what, { cause });
  }
}
