import { type Contender, type Safety, startKafka, startTickfold } from '@tickfold/testkit/bench-brokers';
import { rdkafka } from '@tickfold/testkit/bench-clients';
import { type Figure, median, perSecond } from '@tickfold/testkit/figures';
import { doJob, startJob } from './children.ts';
import type { Span } from './jobs.ts';
import { RECORD_BYTES } from './load.ts';
import type { Setting } from './setting.ts';
import { makeTopic } from './topics.ts';

/** What a record takes in a batch beside its key and value. */
const FRAMING_BYTES = 7;

interface Case {
  name: string;
  safety: Safety;
  acks: -1 | 1;
  batchBytes: number;
  records: number;
  atLeast: number;
}

/** Records through producer, broker and consumer, all at once; and the same work done by others. */
export async function measureThroughput(setting: Setting): Promise<Figure[]> {
  const { rounds, records, fewerRecords } = setting;
  const large = { batchBytes: 256 * 1024, records };
  const cases: Case[] = [
    { name: 'acks=1', safety: 'written', acks: 1, ...large, atLeast: 1_500_000 },
    { name: 'durable', safety: 'durable', acks: -1, ...large, atLeast: 1_000_000 },
    {
      name: 'acks=1, batches of 10',
      safety: 'written',
      acks: 1,
      batchBytes: 10 * (RECORD_BYTES + FRAMING_BYTES),
      records: fewerRecords,
      atLeast: 600_000,
    },
  ];
  const rates = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  const peers = { copy: [] as number[], kafkajs: [] as number[], rdkafka: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const one of cases) rates.get(one.name)!.push(await through(one, round));
    peers.copy.push(await copied(records));
    const kafka = await startKafka('written');
    try {
      peers.kafkajs.push(await producedByKafkajs(kafka, `kafkajs-${round}`, fewerRecords));
      peers.rdkafka.push(await rdkafka.produce(kafka.bootstrap, `rdkafka-${round}`, records, 'written'));
    } finally {
      await kafka.stop();
    }
  }
  const kafkajs = Math.round(median(peers.kafkajs));
  const others = {
    'raw copy over loopback': Math.round(median(peers.copy)),
    'kafkajs, producing to Apache Kafka': kafkajs,
    'rdkafka_performance, producing to Apache Kafka': Math.round(median(peers.rdkafka)),
  };
  const figures = cases.map(
    ({ name, atLeast }, i): Figure => ({
      name: `producer to consumer, ${name}`,
      value: Math.round(median(rates.get(name)!)),
      unit: 'records/s',
      atLeast,
      ...(i === 0 ? { peers: others } : {}),
    }),
  );
  const times = Number((figures[0]!.value / kafkajs).toFixed(1));
  return [...figures, { name: "acks=1, of kafkajs's producer on Apache Kafka", value: times, unit: '×', atLeast: 10 }];
}

async function through({ safety, acks, batchBytes, records }: Case, round: number): Promise<number> {
  const broker = await startTickfold(safety);
  try {
    const bootstrap = broker.local;
    const topic = `bench.through-${round}`;
    await makeTopic(bootstrap, topic);
    const consumer = startJob<number>({ do: 'consume', bootstrap, topic, records });
    await consumer.ready;
    const { startMs } = await doJob<Span>({ do: 'produce', bootstrap, topic, records, acks, batchBytes });
    return perSecond(records, (await consumer.found) - startMs);
  } finally {
    await broker.stop();
  }
}

/** The same number of bytes from one process to another, through nothing but a socket. */
async function copied(records: number): Promise<number> {
  const bytes = records * (RECORD_BYTES + FRAMING_BYTES);
  const reader = startJob<number>({ do: 'copy-to', bytes });
  const port = (await reader.ready) as number;
  const { startMs } = await doJob<Span>({ do: 'copy-from', port, bytes });
  return perSecond(records, (await reader.found) - startMs);
}

async function producedByKafkajs({ bootstrap }: Contender, topic: string, records: number): Promise<number> {
  const { startMs, endMs } = await doJob<Span>({ do: 'produce-by-kafkajs', bootstrap, topic, records });
  return perSecond(records, endMs - startMs);
}
