import type { Producer, StreamClient } from './api.ts';

const COMMIT_EVERY_MS = 500;

export interface PeriodicCommitOptions {
  client: StreamClient;
  producer: Producer;
  group: string;
  topic: string;
  /** What the group has committed so far: an offset never moves back. */
  committed: ReadonlyMap<number, bigint>;
  /** Told once when a commit failed; `finish` throws the error. */
  onFailed: () => void;
}

/**
 * Commits a group's progress every half second, in the background, each time after everything that was produced from it
 * is acknowledged. The offsets show the lag; a processor does not resume from them.
 */
export class PeriodicCommit {
  readonly #options: PeriodicCommitOptions;
  readonly #committed: Map<number, bigint>;
  readonly #timer: NodeJS.Timeout;
  #progress = new Map<number, bigint>();
  #running: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(options: PeriodicCommitOptions) {
    this.#options = options;
    this.#committed = new Map(options.committed);
    this.#timer = setInterval(() => {
      this.#running ??= this.#commitInBackground();
    }, COMMIT_EVERY_MS);
  }

  /** Every record of the partition before `nextOffset` is handled, its outputs are sent. */
  advance(partition: number, nextOffset: bigint): void {
    if (nextOffset > (this.#committed.get(partition) ?? 0n)) this.#progress.set(partition, nextOffset);
  }

  /** Commits what is left. @throws StreamError of this or an earlier commit */
  async finish(): Promise<void> {
    this.stop();
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#commit();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #commitInBackground(): Promise<void> {
    try {
      await this.#commit();
      this.#running = undefined;
    } catch (error) {
      // `#running` stays: nothing is committed after a failure.
      this.#failure = { error };
      this.stop();
      this.#options.onFailed();
    }
  }

  async #commit(): Promise<void> {
    const { client, producer, group, topic } = this.#options;
    const progress = this.#progress;
    this.#progress = new Map();
    await producer.flush();
    await client.admin.commitOffsets(group, topic, progress);
    for (const [partition, offset] of progress) this.#committed.set(partition, offset);
  }
}
