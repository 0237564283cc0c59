import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { kill, startChild } from './child.ts';
import { logOf, openEngine } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { committedValues } from './transactional.ts';

const ROUNDS = 4;

/** Lets the child copy until it has acknowledged so many transactions, kills it, and gives the last position told. */
async function positionUntilKilled(dataDir: string, transactionCount: number): Promise<bigint> {
  const child = startChild('copying-child.mjs', [dataDir]);
  let position = 0n;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    position = BigInt(line);
    if (++lines === transactionCount) await kill(child);
  }
  return position;
}

test('after kill -9, again and again, a transactional copy over two volumes has each record once, up to its position', async () => {
  const dataDir = temporaryFolder();
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await positionUntilKilled(dataDir, 20 + round * 13);
    const engine = await openEngine({ dataDir, segmentBytes: 16 * 1024 });
    const position = engine.committedOffsets('a.group')[0]!.offset;
    expect(position).toBeGreaterThanOrEqual(acknowledged);
    const copied = await committedValues(logOf(engine, 'b.out'), 4096);
    expect(copied).toEqual(Array.from({ length: Number(position) }, (_, i) => `record-${i}`));
    await engine.close();
  }
});
