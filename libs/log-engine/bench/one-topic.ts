import { openLogEngine, type PartitionReader } from '@tickfold/log-engine';
import { BIG_QUOTA_BYTES, BIG_VOLUME, type BigVolume } from './big-volume.ts';
import { type Figure, rateFigure } from './figure.ts';
import { dropFromPageCache } from './page-cache.ts';
import { readThrough } from './reading.ts';

/** Reads one topic out of thousands that were written interleaved, batches of 10 each. */
export async function measureOneTopic(volume: BigVolume): Promise<Figure[]> {
  await volume.make();
  const { topics, rounds } = volume.setting;
  const engine = await openLogEngine({ dataDir: volume.dataDir, volumeQuotaBytes: BIG_QUOTA_BYTES });
  try {
    const log = (i: number): PartitionReader => engine.partition(`${BIG_VOLUME}.topic-${i}`, 0)!;
    const warm: number[] = [];
    await readThrough(log(0));
    for (let round = 0; round < rounds; round++) warm.push((await readThrough(log(0))).recordsPerSecond);
    const other: number[] = [];
    for (let round = 0; round < rounds; round++) other.push((await readThrough(log(1 + round))).recordsPerSecond);
    const figures = [
      rateFigure(`read one of ${topics} topics, warm`, warm, 1_000_000),
      rateFigure('the same, another one each time', other),
    ];
    if (await dropFromPageCache(volume.dataDir)) {
      figures.push(rateFigure('the same, from the disk', [(await readThrough(log(rounds + 1))).recordsPerSecond]));
    }
    return figures;
  } finally {
    await engine.close();
  }
}
