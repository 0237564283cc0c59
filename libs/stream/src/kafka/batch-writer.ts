import type { ClusterBroker, ProducerIdentity } from './cluster.ts';
import { byLeader, byTopic } from './cluster.ts';
import { type ClusterLink, persistently } from './cluster-link.ts';
import { protocolErrorOf, streamErrorOf } from './kafka-errors.ts';
import type { MessageBatch } from './message-lanes.ts';

const PRODUCE_TIMEOUT_MS = 30_000;
const SEQUENCES = 2 ** 31;

type Sequenced = MessageBatch & { firstSequence: number };

/**
 * Writes batches that carry a producer's identity and sequence numbers, so that the brokers know a batch which they are
 * sent again. Of a partition one batch is on its way at a time.
 */
export class BatchWriter {
  readonly #link: ClusterLink;
  readonly #identity: ProducerIdentity;
  readonly #transactionalId: string | undefined;
  readonly #patienceMs: number;
  /** The next one, by topic and partition. */
  readonly #sequences = new Map<string, number>();

  constructor(
    link: ClusterLink,
    identity: ProducerIdentity,
    options: { transactionalId?: string; patienceMs: number },
  ) {
    this.#link = link;
    this.#identity = identity;
    this.#transactionalId = options.transactionalId;
    this.#patienceMs = options.patienceMs;
  }

  /** Resolves when all of them are acknowledged. @throws StreamError */
  async write(batches: readonly MessageBatch[]): Promise<void> {
    const sequenced = batches.map((batch) => ({ ...batch, firstSequence: this.#take(batch) }));
    try {
      await this.#persist(sequenced);
    } catch (error) {
      if (sequenced.length === 1) throw refusal(error, sequenced[0]!);
      // kafkajs does not tell which one was refused.
      for (const batch of sequenced) {
        await this.#persist([batch]).catch((alone: unknown) => {
          throw refusal(alone, batch);
        });
      }
    }
  }

  #take({ topic, partition, messages }: MessageBatch): number {
    const place = `${topic}/${partition}`;
    const first = this.#sequences.get(place) ?? 0;
    this.#sequences.set(place, (first + messages.length) % SEQUENCES);
    return first;
  }

  #persist(batches: readonly Sequenced[]): Promise<void> {
    const topics = [...new Set(batches.map(({ topic }) => topic))];
    const patience = { topics, patienceMs: this.#patienceMs };
    return persistently(this.#link, patience, async (cluster) => {
      const sent = [...byLeader(cluster, batches)].map(async ([nodeId, led]) =>
        this.#produce(await cluster.findBroker({ nodeId }), led),
      );
      // All are waited for: what is still on its way must not meet what is sent again.
      const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    });
  }

  async #produce(broker: ClusterBroker, batches: readonly Sequenced[]): Promise<void> {
    await broker
      .produce({
        ...this.#identity,
        transactionalId: this.#transactionalId,
        acks: -1,
        timeout: PRODUCE_TIMEOUT_MS,
        topicData: byTopic(batches),
      })
      .catch((error: unknown) => {
        // It was written by an earlier request, so long ago that the broker forgot its offset.
        if (protocolErrorOf(error) !== 'DUPLICATE_SEQUENCE_NUMBER' || batches.length > 1) throw error;
      });
  }
}

export function refusal(error: unknown, { topic, partition }: MessageBatch) {
  return streamErrorOf(error, `records for '${topic}' partition ${partition} were not appended`);
}
