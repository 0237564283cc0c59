import { type FeedSource, headers, sourceSessionSchema, topics } from '@tickfold/market';
import type { TransactionalProducer } from '@tickfold/stream';
import { INGEST_APP } from './outgoing.ts';

/** Readers see items this much later at most, beside the time that the commit itself takes. */
export const COMMIT_EVERY_MS = 50;

export interface PositionCommitsOptions {
  producer: TransactionalProducer;
  feed: FeedSource;
  speed: number;
  /** Of the first item that is not in the log. */
  position: number;
  nowMs?: () => number;
}

/**
 * Commits what was sent together with the position behind it, so that the log never holds an item without its position,
 * nor a position without its items. Whoever sends items calls this between them, never while a `send` is waited for: an
 * item belongs to the transaction that is open when it is taken.
 */
export class PositionCommits {
  readonly #options: PositionCommitsOptions;
  readonly #nowMs: () => number;
  #position: number;
  #committed: number | undefined;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #ending: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: PositionCommitsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#position = options.position;
  }

  /** All items before this position were sent. */
  reached(position: number): void {
    this.#position = position;
  }

  /**
   * Begins a commit when one is due; what is sent from here on belongs to the next. Where it fails, so does whatever is
   * sent from then on.
   */
  nowAndThen(): void {
    if (this.#failure !== undefined) return;
    if (this.#ending !== undefined || this.#position === this.#committed || this.#nowMs() < this.#dueAtMs) return;
    this.#begin().catch(() => {});
  }

  /** Resolves when all that was reached is durable and visible. @throws StreamError */
  async all(): Promise<void> {
    await this.#ending;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#position !== this.#committed) await this.#begin();
  }

  #begin(): Promise<void> {
    const position = this.#position;
    this.#ending = this.#commit(position)
      .then(
        () => {
          this.#committed = position;
        },
        (error) => {
          this.#failure = error;
          throw error;
        },
      )
      .finally(() => {
        this.#ending = undefined;
        this.#dueAtMs = this.#nowMs() + COMMIT_EVERY_MS;
      });
    return this.#ending;
  }

  /** In one turn up to the commit: nothing is sent in between. */
  async #commit(position: number): Promise<void> {
    const { producer, feed, speed } = this.#options;
    const { identity, description, eventDate } = feed;
    const sent = producer.send({
      topic: topics.source,
      partition: 0,
      key: null,
      value: sourceSessionSchema.encode({ identity, description, eventDate, speed }),
      timestampMs: Date.parse(`${eventDate}T00:00:00Z`),
      headers: {
        [headers.app]: INGEST_APP,
        [headers.schema]: sourceSessionSchema.id,
        [headers.position]: String(position),
      },
    });
    await Promise.all([sent, producer.commit()]);
  }
}
