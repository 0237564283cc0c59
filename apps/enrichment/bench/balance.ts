import { setTimeout as delay } from 'node:timers/promises';
import { groups, topics } from '@tickfold/market';
import { connect, type StreamAdmin } from '@tickfold/stream';
import { newFolder, startTickfold } from '@tickfold/testkit/bench-brokers';
import { type Figure, median, perSecond, rateFigure } from '@tickfold/testkit/figures';
import { AppProcess } from './app.ts';

const INSTANCES = [1, 2, 4] as const;
const WAITING = new URL('waiting.js', import.meta.url).href;
const LOOK_MS = 20;
/** A rate is taken when every instance runs warm, and while every partition has ticks left. */
const BEGUN_SHARE = 0.05;
const MOST_OF_A_PARTITION = 0.95;

/** Instances of enrichment that share a simulated day: how much faster they are, the more of them there are. */
export async function measureBalance(setting: { rounds: number; windowMs: number }): Promise<Figure[]> {
  const dataDir = newFolder();
  const source = { DATA_DIR: dataDir, SOURCE: 'sim', SIM_SYMBOLS: '400', SPEED: '0', MAX_LAG: '100000000' };
  await new AppProcess('history', source).untilItEnds();
  const broker = await startTickfold('durable', dataDir);
  const client = await connect({ brokers: [broker.bootstrap], clientId: 'bench' });
  try {
    const ingest = new AppProcess('ingest', { ...source, BROKERS: broker.bootstrap });
    await ingest.untilItSays('session complete');
    await ingest.end();
    const rates = new Map<number, number[]>(INSTANCES.map((count) => [count, []]));
    for (let round = 0; round < setting.rounds; round++) {
      for (const count of INSTANCES) {
        const env = { DATA_DIR: dataDir, BROKERS: broker.bootstrap };
        const instances = Array.from(
          { length: count },
          (_, i) => new AppProcess('enrichment', { ...env, INSTANCE: String(i + 1) }, [WAITING]),
        );
        rates.get(count)!.push(await ticksPerSecond(client.admin, setting.windowMs));
        await Promise.all(instances.map((instance) => instance.end()));
        await client.admin.deleteGroups([groups.enrichment]);
        await client.admin.deleteTopics([topics.enriched]);
      }
    }
    const times = (count: number): number => Number((median(rates.get(count)!) / median(rates.get(1)!)).toFixed(2));
    return [
      { ...rateFigure('enrichment with 50 µs of wait at each tick, one instance', rates.get(1)!), unit: 'ticks/s' },
      { name: 'two instances, of one', value: times(2), unit: '×', atLeast: 1.9 },
      { name: 'four instances, of one', value: times(4), unit: '×', atLeast: 3.6 },
    ];
  } finally {
    await client.close();
    await broker.stop();
  }
}

/** Committed ones, from when all partitions are worked on until the first has hardly any left, or the window is over. */
async function ticksPerSecond(admin: StreamAdmin, windowMs: number): Promise<number> {
  const ends = new Map((await admin.watermarks(topics.ticks)).map(({ partition, high }) => [partition, Number(high)]));
  let begun: Look | undefined;
  for (;;) {
    const seen = await look(admin);
    const shares = [...ends].map(([partition, end]) => (seen.offsets.get(partition) ?? 0) / end);
    if (begun === undefined && shares.every((share) => share > BEGUN_SHARE)) begun = seen;
    const isOver = begun !== undefined && seen.atMs - begun.atMs >= windowMs;
    if (begun !== undefined && (isOver || shares.some((share) => share > MOST_OF_A_PARTITION))) {
      return perSecond(total(seen) - total(begun), seen.atMs - begun.atMs);
    }
    await delay(LOOK_MS);
  }
}

interface Look {
  atMs: number;
  offsets: Map<number, number>;
}

async function look(admin: StreamAdmin): Promise<Look> {
  const committed = await admin.committedOffsets(groups.enrichment, topics.ticks);
  return { atMs: performance.now(), offsets: new Map([...committed].map(([at, offset]) => [at, Number(offset)])) };
}

function total({ offsets }: Look): number {
  return [...offsets.values()].reduce((sum, offset) => sum + offset, 0);
}
