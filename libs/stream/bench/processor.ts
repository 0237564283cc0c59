import { startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Figure, perSecond, rateFigure } from '@tickfold/testkit/figures';
import { doJob } from './children.ts';
import type { Span } from './jobs.ts';
import { KEYS } from './load.ts';
import type { Setting } from './setting.ts';
import { makeTopic } from './topics.ts';

/** One process that reads records, counts them by key, and writes one for each, up to its last commit. */
export async function measureProcessor({ rounds, processedRecords: records }: Setting): Promise<Figure[]> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const broker = await startTickfold('durable');
    try {
      const bootstrap = broker.local;
      const topic = 'bench.input';
      await makeTopic(bootstrap, topic);
      await doJob({ do: 'produce', bootstrap, topic, records, acks: -1, batchBytes: 256 * 1024 });
      const { startMs, endMs } = await doJob<Span>({ do: 'fold', bootstrap, topic, records });
      rates.push(perSecond(records, endMs - startMs));
    } finally {
      await broker.stop();
    }
  }
  return [rateFigure(`processor, state of ${KEYS.toLocaleString('en')} keys`, rates, 400_000)];
}
