import { openLogEngine, type PartitionReader } from '@tickfold/log-engine';
import { type Figure, perSecond, rateFigure } from '@tickfold/testkit/figures';
import { BIG_QUOTA_BYTES, BIG_VOLUME, type BigVolume } from './big-volume.ts';
import { dropFromPageCache } from './page-cache.ts';
import { readThrough } from './reading.ts';

/** Reads one topic out of thousands that were written interleaved, batches of 10 each. */
export async function measureOneTopic(volume: BigVolume): Promise<Figure[]> {
  await volume.make();
  const { topics, rounds, roundMs } = volume.setting;
  const engine = await openLogEngine({ dataDir: volume.dataDir, volumeQuotaBytes: BIG_QUOTA_BYTES });
  try {
    const log = (i: number): PartitionReader => engine.partition(`${BIG_VOLUME}.topic-${i % topics}`, 0)!;
    let i = 0;
    const warm = await rounded(rounds, () => readFor(roundMs, () => log(0)));
    const others = await rounded(rounds, () => readFor(roundMs, () => log(++i)));
    const figures = [
      rateFigure(`read one of ${topics} topics, warm`, warm, 1_000_000),
      rateFigure('the same, another one each time', others),
    ];
    if (await dropFromPageCache(volume.dataDir)) {
      figures.push(rateFigure('the same, from the disk', [await readFor(0, () => log(++i))]));
    }
    return figures;
  } finally {
    await engine.close();
  }
}

/** Reads whole topics until the time is over; at least one. */
async function readFor(elapseMs: number, next: () => PartitionReader): Promise<number> {
  const begin = performance.now();
  let records = 0;
  do {
    records += (await readThrough(next())).records;
  } while (performance.now() - begin < elapseMs);
  return perSecond(records, performance.now() - begin);
}

async function rounded(rounds: number, measure: () => Promise<number>): Promise<number[]> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) rates.push(await measure());
  return rates;
}
