import type { GroupOffsets, OutgoingRecord, TransactionalProducer, TransactionalProducerOptions } from '../api.ts';
import { BatchWriter } from './batch-writer.ts';
import { byTopic, type ClusterBroker, type ProducerIdentity } from './cluster.ts';
import { ClusterLink } from './cluster-link.ts';
import { askGroup, askTransactions } from './coordinator.ts';
import { streamErrorOf } from './kafka-errors.ts';
import type { ProducerLinks } from './kafka-producer.ts';
import { type MessageBatch, MessageLanes, type MessageSink } from './message-lanes.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const DELIVERY_TIMEOUT_MS = 120_000;

/** Shuts out the producer before it of the same id, whose open transaction is aborted. @throws StreamError */
export async function openTransactionalProducer(
  links: ProducerLinks,
  options: TransactionalProducerOptions,
): Promise<KafkaTransactionalProducer> {
  const transactions = new Transactions(links, options);
  try {
    await transactions.begin();
  } catch (error) {
    await transactions.close();
    throw error;
  }
  return new KafkaTransactionalProducer(transactions, options);
}

export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #transactions: Transactions;
  readonly #lanes: MessageLanes;

  constructor(transactions: Transactions, options: TransactionalProducerOptions) {
    this.#transactions = transactions;
    this.#lanes = new MessageLanes(transactions, options);
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    return this.#lanes.send(record);
  }

  flush(): Promise<void> {
    return this.#lanes.flush();
  }

  commit(offsets: readonly GroupOffsets[] = []): Promise<void> {
    const added = offsets.filter(({ offsets: { size } }) => size > 0);
    return this.#lanes.between(async () => {
      for (const ofGroup of added) await this.#transactions.addOffsets(ofGroup);
      await this.#transactions.end('commit');
    });
  }

  abort(): Promise<void> {
    return this.#lanes.between(() => this.#transactions.end('abort'));
  }

  get whenClosed(): Promise<void> {
    return this.#lanes.whenClosed;
  }

  /** What is not committed waits for the next producer of this id, or for the transaction's timeout. */
  cutOff(): void {
    this.#lanes.cutOff();
  }

  /** What is not committed is aborted. */
  async close(): Promise<void> {
    try {
      await this.abort();
    } finally {
      await this.#lanes.close();
    }
  }
}

/**
 * The transactions of one id, one after the other. Kafka has to be told of each partition and group before anything is
 * written there; kafkajs speaks the protocol of before KIP-890.
 */
class Transactions implements MessageSink {
  readonly partitionCount: MessageSink['partitionCount'];
  readonly #link: ClusterLink;
  readonly #transactionalId: string;
  readonly #timeoutMs: number;
  #identity: ProducerIdentity | undefined;
  #writer: BatchWriter | undefined;
  readonly #partitions = new Map<string, Promise<void>>();
  #hasOffsets = false;

  constructor(links: ProducerLinks, { transactionalId, transactionTimeoutMs }: TransactionalProducerOptions) {
    this.partitionCount = links.partitionCount;
    this.#link = new ClusterLink(links.openCluster);
    this.#transactionalId = transactionalId;
    this.#timeoutMs = transactionTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** A new epoch: nothing that was sent under the last one counts any more. */
  async begin(): Promise<void> {
    const transactionalId = this.#transactionalId;
    const { producerId, producerEpoch } = await this.#ask('was not opened', (coordinator) =>
      coordinator.initProducerId({ transactionalId, transactionTimeout: this.#timeoutMs }),
    );
    this.#identity = { producerId, producerEpoch };
    this.#writer = new BatchWriter(this.#link, this.#identity, { transactionalId, patienceMs: DELIVERY_TIMEOUT_MS });
    this.#forget();
  }

  async deliver(batches: MessageBatch[]): Promise<void> {
    await this.#add(batches);
    await this.#writer!.write(batches);
  }

  async addOffsets({ group, topic, offsets }: GroupOffsets): Promise<void> {
    const what = `could not take the offsets of group '${group}' into its transaction`;
    await this.#ask(what, (coordinator) => coordinator.addOffsetsToTxn({ ...this.#self(), groupId: group }));
    this.#hasOffsets = true;
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    try {
      await askGroup(this.#link, group, (coordinator) =>
        coordinator.txnOffsetCommit({ ...this.#self(), groupId: group, topics: [{ topic, partitions }] }),
      );
    } catch (error) {
      throw this.#failed(what, error);
    }
  }

  async end(outcome: 'commit' | 'abort'): Promise<void> {
    if (this.#partitions.size === 0 && !this.#hasOffsets) return;
    let attempts = 0;
    await this.#ask(`could not ${outcome} its transaction`, (coordinator) => {
      attempts++;
      return coordinator.endTxn({ ...this.#self(), transactionResult: outcome === 'commit' });
    });
    // An end that was sent twice may still come in late, and would end the next transaction: another epoch shuts it out.
    if (attempts > 1) await this.begin();
    else this.#forget();
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  #forget(): void {
    this.#partitions.clear();
    this.#hasOffsets = false;
  }

  async #add(batches: MessageBatch[]): Promise<void> {
    const added = batches.filter(({ topic, partition }) => !this.#partitions.has(`${topic}/${partition}`));
    if (added.length > 0) {
      const topics = byTopic(added).map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => partition),
      }));
      const adding = this.#ask('could not begin its transaction', async (coordinator) => {
        await coordinator.addPartitionsToTxn({ ...this.#self(), topics });
      });
      for (const { topic, partition } of added) this.#partitions.set(`${topic}/${partition}`, adding);
    }
    await Promise.all(batches.map(({ topic, partition }) => this.#partitions.get(`${topic}/${partition}`)));
  }

  #self(): ProducerIdentity & { transactionalId: string } {
    return { transactionalId: this.#transactionalId, ...this.#identity! };
  }

  async #ask<T>(what: string, ask: (coordinator: ClusterBroker) => Promise<T>): Promise<T> {
    try {
      return await askTransactions(this.#link, this.#transactionalId, ask);
    } catch (error) {
      throw this.#failed(what, error);
    }
  }

  #failed(what: string, error: unknown) {
    return streamErrorOf(error, `producer '${this.#transactionalId}' ${what}`);
  }
}
