import type { LogEngine, PartitionLog } from '@tickfold/log-engine';
import { type Figure, median, rateFigure } from '@tickfold/testkit/figures';
import { encodeBatch } from './content.ts';
import { type Setting, withEngine } from './setting.ts';
import { appendFor, inTurn } from './writers.ts';

export const RECORDS_PER_SMALL_BATCH = 10;

/** Makes topics of one partition each, in one volume; gives their logs. */
export async function makeTopics(engine: LogEngine, volume: string, count: number): Promise<PartitionLog[]> {
  const names = Array.from({ length: count }, (_, i) => `${volume}.topic-${i}`);
  await Promise.all(names.map((name) => engine.createTopic(name, { partitionCount: 1 })));
  return names.map((name) => engine.partition(name, 0)!);
}

/** What it costs that appends go to thousands of topics instead of one, in rounds that take turns. */
export function measureManyTopics(setting: Setting): Promise<Figure[]> {
  return withEngine({}, async (engine) => {
    const places = [await makeTopics(engine, 'one', 1), await makeTopics(engine, 'many', setting.topics)];
    const writing = {
      writers: 64,
      durability: 'written' as const,
      recordsPerBatch: RECORDS_PER_SMALL_BATCH,
      batchOf: encodeBatch,
    };
    const rates: number[][] = [];
    for (let round = 0; round < setting.rounds; round++) {
      const rate: number[] = [];
      for (const logs of places) {
        rate.push((await appendFor(setting.roundMs, { ...writing, next: inTurn(logs) })).recordsPerSecond);
      }
      rates.push(rate);
    }
    const ratio = median(rates.map(([one, many]) => many! / one!));
    return [
      rateFigure(
        'append, batches of 10, one topic',
        rates.map(([one]) => one!),
      ),
      rateFigure(
        `append, batches of 10, ${setting.topics} topics`,
        rates.map(([, many]) => many!),
      ),
      { name: 'of the figure for one topic', value: Number(ratio.toFixed(2)), unit: '×', atLeast: 0.5 },
    ];
  });
}
