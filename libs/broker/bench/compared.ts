/** The same clients at this broker and at Apache Kafka, in turn, so that the machine's moods meet both. */

import { type Contender, type Safety, startKafka, startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Client, java, latencies, rdkafka } from '@tickfold/testkit/bench-clients';
import { type Figure, median, percentile } from '@tickfold/testkit/figures';
import type { Setting } from './setting.ts';

const LATENCY_RATE = 10_000;
const ACKS: Record<Safety, string> = {
  written: 'acks=1',
  durable: 'acks=all, durable (Kafka told to flush)',
};

interface Pair {
  tickfold: Contender;
  kafka: Contender;
}

/** What each broker gave, round by round. */
interface Rounds {
  tickfold: number[];
  kafka: number[];
}

export async function measureThroughput(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const safety of ['written', 'durable'] as const) {
    await withBoth(safety, async (pair) => {
      for (const client of [rdkafka, java]) figures.push(...(await throughputOf(client, pair, safety, setting)));
    });
  }
  return figures;
}

export async function measureLatency({ rounds, latencySeconds }: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const safety of ['written', 'durable'] as const) {
    await withBoth(safety, async (pair) => {
      const load = { recordsPerSecond: LATENCY_RATE, seconds: latencySeconds };
      const p50: Rounds = { tickfold: [], kafka: [] };
      const p99: Rounds = { tickfold: [], kafka: [] };
      for (let round = 0; round < rounds; round++) {
        for (const name of inTurn(round)) {
          const seen = await latencies(pair[name].bootstrap, `latency-${round}`, safety, load);
          p50[name].push(percentile(seen, 0.5));
          p99[name].push(percentile(seen, 0.99));
        }
      }
      const name = `end to end at ${LATENCY_RATE.toLocaleString('en')} records/s, ${ACKS[safety]}`;
      figures.push(...compared(`${name}, p50`, 'ms', p50), ...compared(`${name}, p99`, 'ms', p99, { atMost: 1 }));
    });
  }
  return figures;
}

async function throughputOf(client: Client, pair: Pair, safety: Safety, setting: Setting): Promise<Figure[]> {
  const records = client === java ? setting.javaRecords : setting.records;
  const produced: Rounds = { tickfold: [], kafka: [] };
  const consumed: Rounds = { tickfold: [], kafka: [] };
  for (let round = 0; round < setting.rounds; round++) {
    const topic = `${client === java ? 'java' : 'rdkafka'}-${round}`;
    for (const name of inTurn(round)) {
      produced[name].push(await client.produce(pair[name].bootstrap, topic, records, safety));
      consumed[name].push(await client.consume(pair[name].bootstrap, topic, records));
    }
  }
  const floor = { atLeast: 1 };
  const figures = compared(`one producer, ${client.name}, ${ACKS[safety]}`, 'records/s', produced, floor);
  // What was written does not tell how it was acknowledged.
  if (safety === 'durable') return figures;
  return [...figures, ...compared(`one consumer, ${client.name}`, 'records/s', consumed, floor)];
}

/** The median of each, and how they stand to each other. */
function compared(
  name: string,
  unit: string,
  { tickfold, kafka }: Rounds,
  bound: { atLeast?: number; atMost?: number } = {},
): Figure[] {
  const [ours, theirs] = [median(tickfold), median(kafka)];
  const digits = unit === 'ms' ? 2 : 0;
  return [
    {
      name,
      value: Number(ours.toFixed(digits)),
      unit,
      peers: { 'Apache Kafka': Number(theirs.toFixed(digits)) },
    },
    { name: "of Apache Kafka's", value: Number((ours / theirs).toFixed(2)), unit: '×', ...bound },
  ];
}

async function withBoth(safety: Safety, work: (pair: Pair) => Promise<void>): Promise<void> {
  const tickfold = await startTickfold(safety);
  try {
    const kafka = await startKafka(safety);
    try {
      await work({ tickfold, kafka });
    } finally {
      await kafka.stop();
    }
  } finally {
    await tickfold.stop();
  }
}

/** Who is first changes. */
function inTurn(round: number): (keyof Pair)[] {
  return round % 2 === 0 ? ['tickfold', 'kafka'] : ['kafka', 'tickfold'];
}
