import type { Kafka, Producer as KafkaJsProducer, Message } from 'kafkajs';
import type { Producer, ProducerOptions } from '../api.ts';
import type { StreamError } from '../errors.ts';
import { streamErrorOf } from './kafka-errors.ts';
import { MessageLanes, type MessageSink } from './message-lanes.ts';

const DELIVERY_TIMEOUT_MS = 120_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;

export interface ProducerLinks {
  kafka: Kafka;
  /** @throws StreamError `unknown-topic` */
  partitionCount(topic: string): Promise<number>;
}

/** With acks -1 idempotent: what was not acknowledged is sent again, in order, and never doubled. */
export function kafkaProducer(links: ProducerLinks, options: ProducerOptions = {}): Producer {
  return new MessageLanes(new PlainSink(links, options.acks ?? -1), options);
}

class PlainSink implements MessageSink {
  readonly #links: ProducerLinks;
  readonly #acks: -1 | 1;
  readonly #producer: KafkaJsProducer;
  readonly #connected: Promise<void>;

  constructor(links: ProducerLinks, acks: -1 | 1) {
    this.#links = links;
    this.#acks = acks;
    this.#producer = links.kafka.producer({
      ...producerSettings,
      idempotent: acks === -1,
    });
    this.#connected = this.#producer.connect();
    this.#connected.catch(() => {});
  }

  partitionCount(topic: string): Promise<number> {
    return this.#links.partitionCount(topic);
  }

  async deliver(topic: string, partition: number, messages: Message[]): Promise<void> {
    try {
      await this.#connected;
      await this.#producer.send({ topic, acks: this.#acks, messages: inPartition(messages, partition) });
    } catch (error) {
      throw notAppended(error, topic, partition);
    }
  }

  async close(): Promise<void> {
    await this.#connected.catch(() => {});
    await this.#producer.disconnect();
  }
}

/** As long as a restart of a broker, or the election of a leader, takes. */
export const retrySettings = {
  initialRetryTime: FIRST_RETRY_MS,
  maxRetryTime: LONGEST_RETRY_MS,
  retries: Math.ceil(DELIVERY_TIMEOUT_MS / LONGEST_RETRY_MS),
};

const producerSettings = {
  allowAutoTopicCreation: false,
  // The partition is always given: it was chosen as the embedded engine chooses it.
  createPartitioner:
    () =>
    ({ message }: { message: Message }) =>
      message.partition!,
  retry: retrySettings,
};

function inPartition(messages: Message[], partition: number): Message[] {
  for (const message of messages) message.partition = partition;
  return messages;
}

function notAppended(error: unknown, topic: string, partition: number): StreamError {
  return streamErrorOf(error, `records for '${topic}' partition ${partition} were not appended`);
}
