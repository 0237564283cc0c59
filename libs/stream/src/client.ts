import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedAdmin } from './admin.ts';
import type {
  Consumer,
  ConsumerOptions,
  GroupConsumer,
  GroupConsumerOptions,
  GroupOffsets,
  Producer,
  ProducerOptions,
  RecordView,
  StreamClient,
  StreamConfig,
  TransactionalProducer,
  TransactionalProducerOptions,
} from './api.ts';
import { type BrokerAddress, parseBrokerAddress } from './config.ts';
import { Connection } from './connection.ts';
import { EmbeddedConsumer } from './consumer.ts';
import { isRetriable, StreamError } from './errors.ts';
import { BrokerCoordinator } from './group/broker-coordinator.ts';
import { groupTimes } from './group/coordinator.ts';
import { BalancedGroupConsumer } from './group/group-consumer.ts';
import { lastRecordOf } from './last-record.ts';
import { BatchingProducer, type BatchSink, type ProducerIdentity } from './producer.ts';
import { viewPartition } from './remote-partition.ts';
import { RemoteVolumes } from './remote-volumes.ts';
import { addOffsets, describeTopics, endTransaction, initProducer, produce } from './requests.ts';
import { ResendingSink } from './resending-sink.ts';
import { BatchingTransactionalProducer } from './transactional-producer.ts';
import { untilPassedOrAborted } from './wait.ts';

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
/** Longer than a resolver needs that asks a dead name server twice before it asks the next (glibc: 5 s each). */
const ATTEMPT_TIMEOUT_MS = 15_000;
const MIN_BACKOFF_MS = 50;
const DEFAULT_TRANSACTION_TIMEOUT_MS = 60_000;
const DEFAULT_DELIVERY_TIMEOUT_MS = 120_000;
/** How long the transaction of a producer's predecessor may take to be ended. */
const ENDING_TIMEOUT_MS = 30_000;
const MAX_BACKOFF_MS = 1_000;
/** Brokers end connections that are idle for ten minutes. */
const KEEP_ALIVE_MS = 4 * 60_000;

/**
 * Connects to the first broker that answers, trying again until `connectTimeoutMs` has passed or `signal` is aborted.
 * @throws StreamError `unreachable`, `bad-setting`; of engine `kafka` also `unauthenticated` and `broker-too-old`
 */
export async function connect(config: StreamConfig, signal?: AbortSignal): Promise<StreamClient> {
  if (config.engine !== 'kafka') return connectEmbedded(config, signal);
  // Only now: an app on the embedded engine does without kafkajs.
  const { connectKafka } = await import('./kafka/connect.ts');
  return connectKafka(config, signal);
}

async function connectEmbedded(config: StreamConfig, signal?: AbortSignal): Promise<StreamClient> {
  const addresses = config.brokers.map((address) => parseBrokerAddress(address));
  const timeoutMs = config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  let backoffMs = MIN_BACKOFF_MS;
  for (;;) {
    const leftMs = Math.max(deadline - performance.now(), 1);
    const attempt = await firstThatAnswers(addresses, config.clientId, Math.min(leftMs, ATTEMPT_TIMEOUT_MS));
    if (!(attempt instanceof StreamError)) return new EmbeddedClient(attempt, config.clientId);
    if (performance.now() + backoffMs >= deadline || signal?.aborted) {
      throw new StreamError('unreachable', `${attempt.message} (tried for ${timeoutMs} ms)`, { cause: attempt });
    }
    await untilPassedOrAborted(backoffMs, signal);
    backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
  }
}

interface Answering {
  address: BrokerAddress;
  connection: Connection;
}

async function firstThatAnswers(
  addresses: BrokerAddress[],
  clientId: string,
  timeoutMs: number,
): Promise<Answering | StreamError> {
  let failure = new StreamError('bad-setting', 'no broker address is given', { mend: 'Set BROKERS=host:port.' });
  for (const address of addresses) {
    try {
      const connection = await Connection.open(address, clientId, timeoutMs);
      // A port that accepts may still be no broker, or one that is not ready.
      await describeTopics(connection, []);
      return { address, connection };
    } catch (error) {
      if (!isRetriable(error)) throw error;
      failure = error;
    }
  }
  if (!failure.retry) throw failure;
  return failure;
}

/** The lean client of the embedded engine. Producer and consumers have connections of their own. */
class EmbeddedClient implements StreamClient {
  readonly admin: EmbeddedAdmin;
  readonly volumes: RemoteVolumes;
  readonly #address: BrokerAddress;
  readonly #connection: Connection;
  readonly #clientId: string;
  readonly #opened = new Set<Connection>();
  readonly #keepAlive: NodeJS.Timeout;
  #closed = false;

  constructor({ address, connection }: Answering, clientId: string) {
    this.#address = address;
    this.#connection = connection;
    this.#clientId = clientId;
    this.admin = new EmbeddedAdmin(connection);
    this.volumes = new RemoteVolumes(() => this.#open());
    this.#keepAlive = setInterval(() => this.#ping(), KEEP_ALIVE_MS).unref();
  }

  producer(options: ProducerOptions = {}): Producer {
    const partitionCount = (topic: string) => this.admin.partitionCount(topic);
    if (options.acks === 1) {
      const sink = this.#open().then((connection) => sinkOf(connection));
      return new BatchingProducer({ sink, partitionCount }, options);
    }
    const { deliveryTimeoutMs = DEFAULT_DELIVERY_TIMEOUT_MS } = options;
    const opened = this.#openIdempotent();
    const sink = opened.then(({ connection }) => {
      return new ResendingSink(() => this.#open(), connection, deliveryTimeoutMs);
    });
    return new BatchingProducer(
      { sink, partitionCount, idempotentAs: opened.then(({ identity }) => identity) },
      options,
    );
  }

  async #openIdempotent(): Promise<{ connection: Connection; identity: ProducerIdentity }> {
    const connection = await this.#open();
    // Without a transactional id there is no former transaction that had to end first.
    const identity = (await initProducer(connection, null, DEFAULT_TRANSACTION_TIMEOUT_MS))!;
    return { connection, identity };
  }

  async transactionalProducer(options: TransactionalProducerOptions): Promise<TransactionalProducer> {
    const { transactionalId, transactionTimeoutMs = DEFAULT_TRANSACTION_TIMEOUT_MS } = options;
    const connection = await this.#open();
    try {
      const links = {
        identity: await openProducer(connection, transactionalId, transactionTimeoutMs),
        sink: Promise.resolve(sinkOf(connection, transactionalId)),
        partitionCount: (topic: string) => this.admin.partitionCount(topic),
        addOffsets: async (producer: ProducerIdentity, offsets: readonly GroupOffsets[]) => {
          await Promise.all(offsets.map((one) => addOffsets(connection, transactionalId, producer, one)));
        },
        end: (producer: ProducerIdentity, outcome: 'commit' | 'abort') =>
          endTransaction(connection, transactionalId, producer, outcome),
      };
      return new BatchingTransactionalProducer(links, options);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  consumer(options: ConsumerOptions): Consumer {
    return new EmbeddedConsumer(() => this.#open(), options);
  }

  groupConsumer(options: GroupConsumerOptions): GroupConsumer {
    const times = groupTimes(options);
    const coordinator = new BrokerCoordinator(() => this.#open(), options, times);
    const read = (reading: ConsumerOptions) => this.consumer(reading);
    return new BalancedGroupConsumer({ coordinator, admin: this.admin, read, ...times }, options);
  }

  async lastRecord(topic: string, partition: number): Promise<RecordView | undefined> {
    return lastRecordOf(await viewPartition(this.#connection, topic, partition));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    this.#connection.close();
    for (const connection of this.#opened) connection.close();
  }

  async #open(): Promise<Connection> {
    if (this.#closed) throw new StreamError('closed', 'this client was closed');
    const connection = await Connection.open(this.#address, this.#clientId, ATTEMPT_TIMEOUT_MS);
    if (this.#closed) connection.close();
    this.#opened.add(connection);
    connection.closed.then(() => this.#opened.delete(connection));
    return connection;
  }

  #ping(): void {
    for (const connection of [this.#connection, ...this.#opened]) {
      // One that waits for an answer is not idle, and the answer may take longer than a ping may.
      if (connection.isWaiting) continue;
      // Where this fails, the connection's own users are told.
      describeTopics(connection, []).catch(() => {});
    }
  }
}

/** Asks until the transaction of the producer before is ended. @throws StreamError */
async function openProducer(
  connection: Connection,
  transactionalId: string,
  transactionTimeoutMs: number,
): Promise<ProducerIdentity> {
  const deadline = performance.now() + ENDING_TIMEOUT_MS;
  for (;;) {
    const identity = await initProducer(connection, transactionalId, transactionTimeoutMs);
    if (identity !== undefined) return identity;
    if (performance.now() > deadline) {
      throw new StreamError('unavailable', `the last transaction of '${transactionalId}' does not come to its end`);
    }
    await delay(MIN_BACKOFF_MS);
  }
}

function sinkOf(connection: Connection, transactionalId?: string): BatchSink {
  return {
    append: (entries, acks) => produce(connection, acks, entries, transactionalId),
    close: () => connection.close(),
  };
}
