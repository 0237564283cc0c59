import type { Durability, LogEngine, LogReader } from '@tickfold/log-engine';
import {
  BalancedGroupConsumer,
  BatchChunk,
  type BatchEntry,
  BatchingProducer,
  type BatchSink,
  type Consumer,
  type ConsumerOptions,
  type GroupConsumer,
  type GroupConsumerOptions,
  LoneCoordinator,
  lastRecordOf,
  type Producer,
  type ProducerOptions,
  type RecordView,
  type StreamClient,
  StreamError,
  type TransactionalProducer,
  type TransactionalProducerOptions,
} from '@tickfold/stream';
import { streamErrorOf } from './engine-errors.ts';
import { InProcessAdmin } from './in-process-admin.ts';
import { InProcessConsumer, readFrom } from './in-process-consumer.ts';
import { inProcessTransactions, type TransactionTarget } from './in-process-transactions.ts';
import { InProcessVolumes } from './in-process-volumes.ts';
import { Logs } from './logs.ts';

const DURABILITIES = { [-1]: 'synced', 1: 'written' } as const satisfies Record<number, Durability>;
/** The smallest limit: a log gives one whole batch, and more is not wanted there. */
const ONE_BATCH = 1;
/** Nobody waits for a sign of life. */
const LONE_SESSION_MS = 60_000;

/**
 * Streams without a broker, over what this process has open: an engine, or a snapshot. What works on a client that is
 * connected to a broker works on this one unchanged.
 *
 * @param reader its topics are read
 * @param engine topics are made there, records and offsets written there; its topics are read too. May be `reader`
 * itself. Left out, whatever writes fails with `read-only`
 * @returns a client whose `close` leaves both open: they belong to the caller
 */
export function inProcessClient(reader: LogReader, engine?: LogEngine): StreamClient {
  return new InProcessClient(new Logs(reader, engine));
}

class InProcessClient implements StreamClient {
  readonly admin: InProcessAdmin;
  readonly volumes: InProcessVolumes;
  readonly #logs: Logs;
  readonly #consumers = new Set<InProcessConsumer>();
  #failure: StreamError | undefined;

  constructor(logs: Logs) {
    this.#logs = logs;
    this.admin = new InProcessAdmin(logs);
    this.volumes = new InProcessVolumes(logs);
  }

  producer(options?: ProducerOptions): Producer {
    const sink: BatchSink = {
      append: (entries, acks) => this.#append(entries, DURABILITIES[acks]),
      close: () => {},
    };
    const partitionCount = (topic: string) => this.#partitionCount(topic);
    return new BatchingProducer({ sink: Promise.resolve(sink), partitionCount }, options);
  }

  async transactionalProducer(options: TransactionalProducerOptions): Promise<TransactionalProducer> {
    const logs = this.#logs;
    const target: TransactionTarget = {
      engine: logs.writable(`open producer '${options.transactionalId}'`),
      writablePartition: (topic, partition) => logs.writablePartition(topic, partition),
      partitionCount: (topic) => this.#partitionCount(topic),
      checkOpen: () => {
        if (this.#failure !== undefined) throw this.#failure;
      },
    };
    return inProcessTransactions(target, options);
  }

  consumer(options: ConsumerOptions): Consumer {
    const consumer = new InProcessConsumer(this.#logs, options, () => this.#consumers.delete(consumer));
    if (this.#failure !== undefined) void consumer.fail(this.#failure);
    this.#consumers.add(consumer);
    return consumer;
  }

  /** A group of one member: nobody else reads what lies within this process. */
  groupConsumer(options: GroupConsumerOptions): GroupConsumer {
    const links = {
      coordinator: new LoneCoordinator(this.admin, options.group),
      admin: this.admin,
      read: (reading: ConsumerOptions) => this.consumer(reading),
      sessionTimeoutMs: LONE_SESSION_MS,
    };
    return new BalancedGroupConsumer(links, options);
  }

  async lastRecord(topic: string, partition: number): Promise<RecordView | undefined> {
    const log = this.#logs.partition(topic, partition);
    const { logStartOffset: logStart, lastStableOffset: high } = log;
    const batchAt = async (offset: bigint) => {
      const { batches, lastStableOffset, abortedTransactions } = await readFrom(log, offset, ONE_BATCH, 'committed');
      if (batches.length === 0) return undefined;
      return new BatchChunk(topic, partition, offset, lastStableOffset, batches, abortedTransactions);
    };
    return lastRecordOf({ logStart, high, batchAt });
  }

  async close(): Promise<void> {
    this.#failure ??= new StreamError('closed', 'this client was closed');
    const failure = this.#failure;
    await Promise.all([...this.#consumers].map((consumer) => consumer.fail(failure)));
  }

  async #partitionCount(topic: string): Promise<number> {
    return this.#logs.engineOf(topic).topic(topic)!.partitionCount;
  }

  async #append(entries: BatchEntry[], durability: Durability): Promise<StreamError[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const appends = entries.flatMap(({ topic, partition, batches }) => {
      const log = this.#logs.writablePartition(topic, partition);
      return batches.map((batch) => log.append(batch, durability));
    });
    try {
      await Promise.all(appends);
      return [];
    } catch (error) {
      throw streamErrorOf(error);
    }
  }
}
