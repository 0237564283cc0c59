import { type Safety, startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Figure, percentile, timeFigure } from '@tickfold/testkit/figures';
import { doJob, startJob } from './children.ts';
import type { Setting } from './setting.ts';
import { makeTopic } from './topics.ts';

const RECORDS_PER_SECOND = 50_000;
/** Code that has just begun to run is not measured. */
const WARM_UP_SHARE = 0.3;

const CASES: { safety: Safety; visibility: string; acks: -1 | 1; p50AtMost: number; p99AtMost: number }[] = [
  { safety: 'durable', visibility: 'synced', acks: -1, p50AtMost: 2, p99AtMost: 10 },
  { safety: 'written', visibility: 'written', acks: 1, p50AtMost: 1, p99AtMost: 5 },
];

/** From when a record was to be sent to its being handed to a consumer. */
export async function measureLatency({ rounds, latencySeconds: seconds }: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { safety, visibility, acks, p50AtMost, p99AtMost } of CASES) {
    const p50: number[] = [];
    const p99: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const broker = await startTickfold(safety);
      try {
        const bootstrap = broker.local;
        const topic = 'bench.latency';
        await makeTopic(bootstrap, topic);
        const records = RECORDS_PER_SECOND * seconds;
        const consumer = startJob<number[]>({ do: 'take-latencies', bootstrap, topic, records });
        await consumer.ready;
        await doJob({ do: 'produce-steadily', bootstrap, topic, recordsPerSecond: RECORDS_PER_SECOND, seconds, acks });
        const seen = (await consumer.found).slice(records * WARM_UP_SHARE);
        p50.push(percentile(seen, 0.5));
        p99.push(percentile(seen, 0.99));
      } finally {
        await broker.stop();
      }
    }
    const name = `end to end at ${RECORDS_PER_SECOND.toLocaleString('en')} records/s, ${visibility}`;
    figures.push(timeFigure(`${name}, p50`, p50, p50AtMost), timeFigure(`${name}, p99`, p99, p99AtMost));
  }
  return figures;
}
