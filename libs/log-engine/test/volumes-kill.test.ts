import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { deleteSnapshot, listSnapshots } from '../src/snapshot-folder.ts';
import { kill, startChild } from './child.ts';
import { logOf, openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROUNDS = 4;
const STAGED_RECORDS = 20;

/** Lets the child work until it has printed so many snapshots, and kills it; gives what it printed. */
async function snapshotsUntilKilled(dataDir: string, round: number, count: number): Promise<Map<string, bigint>> {
  const child = startChild('volumes-child.mjs', [dataDir, String(round)]);
  const printed = new Map<string, bigint>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [name, visible] = line.split(' ');
    printed.set(name!, BigInt(visible!));
    if (printed.size === count) await kill(child);
  }
  return printed;
}

function numbered(topic: string, values: string[]): string[] {
  return values.map((_, i) => `${topic}-${i}`);
}

test('after kill -9 amid snapshots, adoptions and deletions, each is there whole or not at all', async () => {
  const dataDir = temporaryFolder();
  for (let round = 0; round < ROUNDS; round++) {
    const printed = await snapshotsUntilKilled(dataDir, round, 5 + round * 4);
    const engine = await openEngine({ dataDir, segmentBytes: 16 * 1024 });
    expect(readdirSync(dataDir).filter((name) => name.startsWith('.trash'))).toEqual([]);
    expect(readdirSync(join(dataDir, '.staging'))).toEqual([]);
    expect(readdirSync(join(dataDir, '.snapshots')).filter((name) => name.includes('.'))).toEqual([]);

    const manifests = await listSnapshots(dataDir);
    const last = [...printed.keys()].at(-1)!;
    expect(printed.size).toBeGreaterThanOrEqual(5 + round * 4);
    expect(manifests.map(({ name }) => name)).toContain(last);
    for (const { name, pins } of manifests) {
      const snapshot = await readSnapshot(dataDir, name);
      for (const { name: topic } of snapshot.topics()) {
        const frozen = readerOf(snapshot, topic);
        const values = await valuesOf(frozen);
        expect(values).toEqual(numbered(topic, values));
        expect(BigInt(values.length)).toBe(frozen.highWatermark);
        expect(frozen.highWatermark).toBeLessThanOrEqual(logOf(engine, topic).highWatermark);
      }
      expect(readerOf(snapshot, 'v.a').highWatermark).toBeGreaterThanOrEqual(BigInt(String(pins.visible)));
      await snapshot.close();
      if (!printed.has(name)) await deleteSnapshot(dataDir, name);
    }
    for (const volume of ['x', 'y']) {
      if (!existsSync(join(dataDir, volume))) continue;
      expect(await valuesOf(logOf(engine, `${volume}.t`))).toEqual(
        Array.from({ length: STAGED_RECORDS }, (_, i) => `${volume}-${i}`),
      );
    }
    await engine.close();
  }
}, 60_000);
