import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Safety, startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Figure, median, percentile, timeFigure } from '@tickfold/testkit/figures';
import { doJob, startJob } from './children.ts';
import { RECORD_BYTES } from './load.ts';
import type { Setting } from './setting.ts';
import { makeTopic } from './topics.ts';

const RECORDS_PER_SECOND = 50_000;
/** Code that has just begun to run is not measured. */
const WARM_UP_SHARE = 0.3;
const BEATS_PER_SECOND = 1_000;
const BARE = 'bare copy through three processes, ms';

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
    const bare = { p50: [] as number[], p99: [] as number[] };
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
      const copied = await bareLatencies(seconds);
      bare.p50.push(percentile(copied, 0.5));
      bare.p99.push(percentile(copied, 0.99));
    }
    const name = `end to end at ${RECORDS_PER_SECOND.toLocaleString('en')} records/s, ${visibility}`;
    figures.push(
      { ...timeFigure(`${name}, p50`, p50, p50AtMost), peers: { [BARE]: rounded(bare.p50) } },
      { ...timeFigure(`${name}, p99`, p99, p99AtMost), peers: { [BARE]: rounded(bare.p99) } },
    );
  }
  return figures;
}

const rounded = (timesMs: readonly number[]): number => Number(median(timesMs).toFixed(2));

/** Of the same bytes at the same times, from process to process to process with nothing done to them. */
async function bareLatencies(seconds: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tickfold-'));
  try {
    const [first, second] = [join(folder, '1.sock'), join(folder, '2.sock')];
    const beats = seconds * BEATS_PER_SECOND;
    const load = { bytesPerBeat: (RECORDS_PER_SECOND / BEATS_PER_SECOND) * RECORD_BYTES, beats };
    const receiver = startJob<number[]>({ do: 'receive-bare', path: second, ...load });
    await receiver.ready;
    const relay = startJob<null>({ do: 'relay-bare', path: first, to: second });
    await relay.ready;
    await doJob({ do: 'send-bare', path: first, ...load });
    await relay.found;
    return (await receiver.found).slice(beats * WARM_UP_SHARE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
