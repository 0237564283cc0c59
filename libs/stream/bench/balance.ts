import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@tickfold/stream';
import { startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Figure, median, perSecond, rateFigure } from '@tickfold/testkit/figures';
import { doJob, nowMs, startJob } from './children.ts';
import type { Span } from './jobs.ts';
import { PARTITIONS } from './load.ts';
import type { Setting } from './setting.ts';
import { makeTopic } from './topics.ts';

/** What each record is made to cost its instance, beside the work of the processor. */
const WAIT_MS = 0.05;
const LOOK_MS = 5;
const INSTANCES = [1, 2, 4] as const;

/** Instances of a processor that share its input: how much faster the more of them are. */
export async function measureBalance({ rounds, sharedRecords }: Setting): Promise<Figure[]> {
  const rates = new Map<number, number[]>(INSTANCES.map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) {
    for (const count of INSTANCES) rates.get(count)!.push(await shared(count, sharedRecords * count));
  }
  const times = (count: number): number => Number((median(rates.get(count)!) / median(rates.get(1)!)).toFixed(2));
  return [
    rateFigure('processor with 50 µs of wait at each record, one instance', rates.get(1)!),
    { name: 'two instances, of one', value: times(2), unit: '×', atLeast: 1.9 },
    { name: 'four instances, of one', value: times(4), unit: '×', atLeast: 3.6 },
  ];
}

/** From the first record written, all instances having their partitions, to the last one committed. */
async function shared(count: number, records: number): Promise<number> {
  const broker = await startTickfold('durable');
  try {
    const { bootstrap } = broker;
    const topic = 'bench.input';
    await makeTopic(bootstrap, topic);
    const partitions = PARTITIONS / count;
    const instances = Array.from({ length: count }, (_, i) =>
      startJob({ do: 'share', bootstrap, topic, instance: String(i + 1), partitions, waitMs: WAIT_MS }),
    );
    await Promise.all(instances.map(({ ready }) => ready));
    const { startMs } = await doJob<Span>({
      do: 'produce',
      bootstrap,
      topic,
      records,
      acks: -1,
      batchBytes: 64 * 1024,
    });
    await untilCommitted(bootstrap, topic, records);
    const rate = perSecond(records, nowMs() - startMs);
    for (const instance of instances) instance.end();
    await Promise.all(instances.map(({ found }) => found));
    return rate;
  } finally {
    await broker.stop();
  }
}

async function untilCommitted(bootstrap: string, topic: string, records: number): Promise<void> {
  const client = await connect({ brokers: [bootstrap], clientId: 'bench' });
  try {
    for (;;) {
      const committed = [...(await client.admin.committedOffsets('bench.share', topic)).values()];
      if (committed.reduce((sum, offset) => sum + offset, 0n) >= BigInt(records)) return;
      await delay(LOOK_MS);
    }
  } finally {
    await client.close();
  }
}
