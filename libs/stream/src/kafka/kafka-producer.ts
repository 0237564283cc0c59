import type { ProducerOptions } from '../api.ts';
import { BatchWriter, refusal } from './batch-writer.ts';
import { byLeader, type Cluster } from './cluster.ts';
import { ClusterLink, persistently } from './cluster-link.ts';
import { streamErrorOf } from './kafka-errors.ts';
import { type MessageBatch, MessageLanes, type MessageSink } from './message-lanes.ts';

/** As long as a restart of a broker, or the election of a leader, may take. */
const DELIVERY_TIMEOUT_MS = 120_000;
const INIT_PATIENCE_MS = 30_000;
const PRODUCE_TIMEOUT_MS = 30_000;
/** Kafka asks for one, and looks at it in transactions only. */
const UNUSED_TRANSACTION_TIMEOUT_MS = 60_000;

export interface ProducerLinks {
  openCluster(): Cluster;
  /** @throws StreamError `unknown-topic` */
  partitionCount(topic: string): Promise<number>;
}

/** With acks -1 what was not acknowledged is sent again, in order and never doubled; with acks 1 nothing is sent twice. */
export function kafkaProducer(links: ProducerLinks, options: ProducerOptions = {}): MessageLanes {
  const sink = options.acks === 1 ? new OnceSink(links) : new IdempotentSink(links);
  return new MessageLanes(sink, options);
}

class IdempotentSink implements MessageSink {
  readonly partitionCount: MessageSink['partitionCount'];
  readonly #link: ClusterLink;
  #writer: Promise<BatchWriter> | undefined;

  constructor(links: ProducerLinks) {
    this.partitionCount = links.partitionCount;
    this.#link = new ClusterLink(links.openCluster);
  }

  async deliver(batches: MessageBatch[]): Promise<void> {
    this.#writer ??= this.#newWriter();
    await (await this.#writer).write(batches);
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  async #newWriter(): Promise<BatchWriter> {
    try {
      const identity = await persistently(this.#link, { patienceMs: INIT_PATIENCE_MS }, async (cluster) => {
        const broker = await cluster.findControllerBroker();
        return broker.initProducerId({ transactionTimeout: UNUSED_TRANSACTION_TIMEOUT_MS });
      });
      return new BatchWriter(this.#link, identity, { patienceMs: DELIVERY_TIMEOUT_MS });
    } catch (error) {
      throw streamErrorOf(error, 'no producer id was given');
    }
  }
}

/** Without an identity: nobody would know a batch that is sent again. */
class OnceSink implements MessageSink {
  readonly partitionCount: MessageSink['partitionCount'];
  readonly #link: ClusterLink;

  constructor(links: ProducerLinks) {
    this.partitionCount = links.partitionCount;
    this.#link = new ClusterLink(links.openCluster);
  }

  async deliver(batches: MessageBatch[]): Promise<void> {
    await Promise.all(batches.map((batch) => this.#deliver(batch)));
  }

  async #deliver(batch: MessageBatch): Promise<void> {
    try {
      const cluster = await this.#link.connected([batch.topic]);
      const [nodeId] = [...byLeader(cluster, [batch]).keys()];
      const broker = await cluster.findBroker({ nodeId: nodeId! });
      const topicData = [{ topic: batch.topic, partitions: [{ ...batch, firstSequence: 0 }] }];
      await broker.produce({ acks: 1, timeout: PRODUCE_TIMEOUT_MS, topicData });
    } catch (error) {
      throw refusal(error, batch);
    }
  }

  async close(): Promise<void> {
    this.#link.close();
  }
}
