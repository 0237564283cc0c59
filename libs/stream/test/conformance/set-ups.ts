/** The three pairs of client and broker that the same rules are run on. */
import { startApacheKafka } from '@tickfold/testkit/apache-kafka';
import { startBrokerProcess } from '@tickfold/testkit/broker-process';
import type { StreamConfig } from '../../src/index.ts';

export interface Served {
  /** For `connect`. */
  readonly config: StreamConfig;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts what was killed on its data and its port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SetUp {
  title: string;
  serve(): Promise<Served>;
  /** Most topics that are made in a test: each costs Apache Kafka some files. */
  topicCount: number;
}

export const leanOnEmbedded: SetUp = {
  title: 'the lean client on the embedded broker',
  serve: () => serveEmbedded('embedded'),
  topicCount: 1000,
};

export const kafkaJsOnEmbedded: SetUp = {
  title: 'kafkajs on the embedded broker',
  serve: () => serveEmbedded('kafka'),
  topicCount: 1000,
};

export const kafkaJsOnApacheKafka: SetUp = {
  title: 'kafkajs on Apache Kafka',
  serve: serveApacheKafka,
  topicCount: 1000,
};

async function serveEmbedded(engine: 'embedded' | 'kafka'): Promise<Served> {
  const { address, kill, restart, stop } = await startBrokerProcess();
  return { config: { engine, brokers: [address], clientId: 'conformance' }, kill, restart, stop };
}

async function serveApacheKafka(): Promise<Served> {
  const kafka = await startApacheKafka({
    heapMb: 512,
    settings: {
      'auto.create.topics.enable': 'false',
      // A killed broker is missed sooner than after 9 s: the rules kill many.
      'broker.session.timeout.ms': 2_000,
      'broker.heartbeat.interval.ms': 500,
    },
  });
  return {
    config: { engine: 'kafka', brokers: [kafka.bootstrap], clientId: 'conformance' },
    kill: () => kafka.kill(1),
    restart: () => kafka.restart(1),
    stop: () => kafka.stop(),
  };
}
