import { rmSync } from 'node:fs';
import { openLogEngine, type PartitionReader } from '@tickfold/log-engine';
import { type Figure, rateFigure } from '@tickfold/testkit/figures';
import { encodeBatch } from './content.ts';
import { dropFromPageCache } from './page-cache.ts';
import { readThrough } from './reading.ts';
import { newFolder, type Setting } from './setting.ts';
import { makeTopics } from './topics.ts';
import { appendUntil, inTurn } from './writers.ts';

const TOPIC = 'bench.topic-0';

/** One topic from its first record to its last, of batches of 500. */
export async function measureSequentialRead(setting: Setting): Promise<Figure[]> {
  const dataDir = newFolder('read');
  await write(dataDir, setting.readBytes);
  const engine = await openLogEngine({ dataDir });
  try {
    const log = engine.partition(TOPIC, 0)!;
    const first = await rateOf(log);
    const warm: number[] = [];
    for (let round = 0; round < setting.rounds; round++) warm.push(await rateOf(log));
    const figures = [
      rateFigure('sequential read, CRC checked', warm, 10_000_000),
      rateFigure('the same, just opened', [first]),
    ];
    if (await dropFromPageCache(dataDir)) figures.push(rateFigure('the same, from the disk', [await rateOf(log)]));
    return figures;
  } finally {
    await engine.close();
    rmSync(dataDir, { recursive: true });
  }
}

async function write(dataDir: string, bytes: number): Promise<void> {
  const engine = await openLogEngine({ dataDir });
  const logs = await makeTopics(engine, 'bench', 1);
  const writing = { writers: 8, durability: 'written' as const, recordsPerBatch: 500, batchOf: encodeBatch };
  await appendUntil(() => logs[0]!.sizeBytes >= bytes, { ...writing, next: inTurn(logs) });
  await engine.close();
}

async function rateOf(log: PartitionReader): Promise<number> {
  const { records, recordsPerSecond, keyAndValueBytes } = await readThrough(log);
  if (keyAndValueBytes !== records * 100) throw new Error(`${records} records have ${keyAndValueBytes} bytes`);
  return recordsPerSecond;
}
