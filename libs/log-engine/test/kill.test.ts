import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { kill, startChild } from './child.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROUNDS = 3;

/** Lets the child append until it has printed so many lines, kills it, and gives the last offset told of each topic. */
async function acknowledgedUntilKilled(dataDir: string, lineCount: number): Promise<Map<string, bigint>> {
  const child = startChild('writing-child.mjs', [dataDir]);
  const acknowledged = new Map<string, bigint>();
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [topic, lastOffset] = line.split(' ');
    acknowledged.set(topic!, BigInt(lastOffset!));
    if (++lines === lineCount) await kill(child);
  }
  return acknowledged;
}

test('after kill -9, again and again, everything acknowledged as synced is there, and each log is a prefix', async () => {
  const dataDir = temporaryFolder();
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await acknowledgedUntilKilled(dataDir, 150 + round * 67);
    const engine = await openEngine({ dataDir, segmentBytes: 64 * 1024 });
    for (const [topic, lastOffset] of acknowledged) {
      const log = logOf(engine, topic);
      expect(log.logEndOffset).toBeGreaterThan(lastOffset);
      const values = await valuesOf(log);
      expect(values).toEqual(values.map((_, i) => `${topic}-${i - (i % 5)}-${i % 5}`));
      expect(BigInt(values.length)).toBe(log.highWatermark);
      const committed = engine.committedOffsets('v.g').find((offset) => offset.topic === topic);
      expect(committed?.offset).toBeGreaterThanOrEqual(lastOffset);
    }
    await engine.close();
  }
});
