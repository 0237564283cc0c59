import type { GroupOffsets, OutgoingRecord, TransactionalProducer, TransactionalProducerOptions } from './api.ts';
import { BatchingProducer, type ProducerIdentity, type ProducerLinks } from './producer.ts';

/** Where a transaction's records go, and who ends it. */
export interface TransactionLinks extends ProducerLinks {
  identity: ProducerIdentity;
  /** Takes offsets into the transaction. @throws StreamError */
  addOffsets(producer: ProducerIdentity, offsets: readonly GroupOffsets[]): Promise<void>;
  /** @returns as whom to go on. @throws StreamError */
  end(producer: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<ProducerIdentity>;
}

/**
 * A transaction begins with its first batch, which the broker is told of by the batch itself. With each end the producer
 * gets a new epoch, so nothing of an ended transaction can come late and count as the next one's (KIP-890).
 */
export class BatchingTransactionalProducer implements TransactionalProducer {
  readonly #links: TransactionLinks;
  readonly #producer: BatchingProducer;

  constructor(links: TransactionLinks, options: Omit<TransactionalProducerOptions, 'transactionalId'>) {
    this.#links = links;
    this.#producer = new BatchingProducer(links, { ...options, acks: -1 });
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    return this.#producer.send(record);
  }

  flush(): Promise<void> {
    return this.#producer.flush();
  }

  commit(offsets: readonly GroupOffsets[] = []): Promise<void> {
    const added = offsets.filter(({ offsets: { size } }) => size > 0);
    return this.#producer.between(async (identity, hasSent) => {
      if (!hasSent && added.length === 0) return identity;
      if (added.length > 0) await this.#links.addOffsets(identity, added);
      return this.#links.end(identity, 'commit');
    });
  }

  abort(): Promise<void> {
    return this.#producer.between(async (identity, hasSent) =>
      hasSent ? this.#links.end(identity, 'abort') : identity,
    );
  }

  /** What is not committed is aborted. */
  async close(): Promise<void> {
    try {
      await this.abort();
    } finally {
      await this.#producer.close();
    }
  }
}
