import { type Admin, Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type {
  Consumer,
  ConsumerOptions,
  GroupConsumer,
  GroupConsumerOptions,
  KafkaSettings,
  Producer,
  ProducerOptions,
  RecordView,
  StreamClient,
  StreamConfig,
  TransactionalProducer,
  TransactionalProducerOptions,
} from '../api.ts';
import { StreamError } from '../errors.ts';
import { groupTimes } from '../group/coordinator.ts';
import { BalancedGroupConsumer } from '../group/group-consumer.ts';
import { lastRecordOf } from '../last-record.ts';
import { untilPassedOrAborted } from '../wait.ts';
import { type Cluster, newCluster } from './cluster.ts';
import { ClusterLink, persistently } from './cluster-link.ts';
import { allowEveryCompression } from './compression.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { KafkaCoordinator } from './kafka-coordinator.ts';
import { streamErrorOf } from './kafka-errors.ts';
import { kafkaProducer, type ProducerLinks } from './kafka-producer.ts';
import { openTransactionalProducer } from './kafka-transactions.ts';
import { KafkaVolumes } from './kafka-volumes.ts';
import { viewPartition } from './partition-view.ts';

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
const ATTEMPT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** Of a single question to a cluster that changes. */
const PATIENCE_MS = 30_000;

/** The highest version of each request that kafkajs sends and nothing here can do without, by the protocol's key. */
const NEEDED = { Produce: [0, 3], Fetch: [1, 4], ListOffsets: [2, 2], InitProducerId: [22, 0] } as const;

/**
 * Connects to a Kafka cluster, trying again until `connectTimeoutMs` has passed or `signal` is aborted.
 * @throws StreamError `unreachable`, `unauthenticated`, `broker-too-old`
 */
export async function connectKafka(config: StreamConfig, signal?: AbortSignal): Promise<StreamClient> {
  const timeoutMs = config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  allowEveryCompression();
  let backoffMs = MIN_BACKOFF_MS;
  for (;;) {
    const leftMs = Math.max(deadline - performance.now(), 1);
    const kafka = new Kafka(kafkaConfig(config, Math.min(leftMs, ATTEMPT_TIMEOUT_MS)));
    const attempt = await openClient(kafka, config.kafka ?? {}).catch((error: unknown) => error);
    if (attempt instanceof KafkaClient) return attempt;
    const failure = streamErrorOf(attempt, `no broker answers at ${config.brokers.join(', ')}`);
    if (failure.code !== 'disconnected' && failure.code !== 'unavailable') throw failure;
    if (performance.now() + backoffMs >= deadline || signal?.aborted) {
      const mend =
        'Is the cluster running? Set KAFKA_BROKERS=host:port to where it listens, and KAFKA_TLS=true where it asks for TLS.';
      throw new StreamError('unreachable', `${failure.message} (tried for ${timeoutMs} ms)`, { cause: attempt, mend });
    }
    await untilPassedOrAborted(backoffMs, signal);
    backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
  }
}

function kafkaConfig({ brokers, clientId, kafka = {} }: StreamConfig, connectionTimeout: number): KafkaConfig {
  const { sasl, tls } = kafka;
  return {
    brokers,
    clientId,
    connectionTimeout,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: MIN_BACKOFF_MS, maxRetryTime: MAX_BACKOFF_MS, retries: 3 },
    ...(tls !== undefined && { ssl: { ...tls } }),
    ...(sasl !== undefined && { sasl: { ...sasl } as NonNullable<KafkaConfig['sasl']> }),
  };
}

async function openClient(kafka: Kafka, settings: KafkaSettings): Promise<KafkaClient> {
  const admin = kafka.admin();
  const link = new ClusterLink(() => newCluster(kafka));
  try {
    await checkVersions(await link.connected());
    await admin.connect();
    return new KafkaClient(kafka, admin, link, settings);
  } catch (error) {
    link.close();
    await admin.disconnect().catch(() => {});
    throw error;
  }
}

async function checkVersions(cluster: Cluster): Promise<void> {
  const broker = await cluster.findControllerBroker();
  const served = await broker.apiVersions();
  for (const [name, [key, version]] of Object.entries(NEEDED)) {
    const { maxVersion = -1 } = served[key] ?? {};
    if (maxVersion >= version) continue;
    throw new StreamError('broker-too-old', `the broker serves ${name} up to version ${maxVersion}, not ${version}`);
  }
}

/** What ends with its client. */
interface CutOff {
  cutOff(): void;
  readonly whenClosed: Promise<void>;
}

/** kafkajs behind the interface of this library. */
class KafkaClient implements StreamClient {
  readonly admin: KafkaAdmin;
  readonly volumes: KafkaVolumes;
  readonly #kafka: Kafka;
  readonly #kafkaJsAdmin: Admin;
  readonly #link: ClusterLink;
  readonly #links: ProducerLinks;
  readonly #opened = new Set<CutOff>();
  #closed = false;

  constructor(kafka: Kafka, admin: Admin, link: ClusterLink, settings: KafkaSettings) {
    this.#kafka = kafka;
    this.#kafkaJsAdmin = admin;
    this.#link = link;
    this.admin = new KafkaAdmin(admin, link, settings.replicationFactor);
    this.volumes = new KafkaVolumes(this.admin);
    this.#links = {
      openCluster: () => newCluster(kafka),
      partitionCount: (topic) => this.admin.partitionCount(topic),
    };
  }

  producer(options?: ProducerOptions): Producer {
    return this.#remember(kafkaProducer(this.#links, options));
  }

  async transactionalProducer(options: TransactionalProducerOptions): Promise<TransactionalProducer> {
    return this.#remember(await openTransactionalProducer(this.#links, options));
  }

  consumer(options: ConsumerOptions): Consumer {
    return this.#remember(new KafkaConsumer(() => newCluster(this.#kafka), options));
  }

  groupConsumer(options: GroupConsumerOptions): GroupConsumer {
    const times = groupTimes(options);
    const coordinator = new KafkaCoordinator(() => newCluster(this.#kafka), options, times);
    const read = (reading: ConsumerOptions) =>
      this.#remember(new KafkaConsumer(() => newCluster(this.#kafka), reading));
    this.#remember(coordinator);
    return new BalancedGroupConsumer({ coordinator, admin: this.admin, read, ...times }, options);
  }

  async lastRecord(topic: string, partition: number): Promise<RecordView | undefined> {
    await this.admin.partitionCount(topic);
    try {
      return await persistently(this.#link, { topics: [topic], patienceMs: PATIENCE_MS }, async (cluster) =>
        lastRecordOf(await viewPartition(cluster, topic, partition)),
      );
    } catch (error) {
      throw streamErrorOf(error, `'${topic}' partition ${partition} cannot be read`);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const opened of this.#opened) opened.cutOff();
    this.#link.close();
    await this.#kafkaJsAdmin.disconnect().catch(() => {});
  }

  #remember<Opened extends CutOff>(opened: Opened): Opened {
    if (this.#closed) throw new StreamError('closed', 'this client was closed');
    this.#opened.add(opened);
    void opened.whenClosed.then(() => this.#opened.delete(opened));
    return opened;
  }
}
