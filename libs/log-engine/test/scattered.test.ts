/** Batches of one topic that lie far apart are read by one thread in one go, where the disk can do that. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, readAll } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const BATCHES = 60;
/** More than what is read along with a batch for the sake of the next one. */
const BETWEEN = numberedBatch('x'.repeat(40_000));
const EVERYTHING = 100_000_000;

/** A folder whose topic `v.t` lies scattered over several segments; nothing of it is in memory. */
async function scattered(): Promise<{ dataDir: string; values: string[] }> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 1_000_000 });
  for (const topic of ['v.t', 'v.between']) await engine.createTopic(topic, { partitionCount: 1 });
  const values: string[] = [];
  for (let i = 0; i < BATCHES; i++) {
    await logOf(engine, 'v.t').append(numberedBatch(`b${i}e`), 'written');
    await logOf(engine, 'v.between').append(BETWEEN, 'written');
    values.push(`b${i}e-0`);
  }
  await engine.close();
  return { dataDir, values };
}

async function valuesOn(disk: Disk, dataDir: string): Promise<{ values: string[]; damages: number }> {
  const engine = await openEngine({ dataDir, segmentBytes: 1_000_000 }, disk);
  const values = (await readAll(logOf(engine, 'v.t'), 0n, EVERYTHING)).map(({ value }) => value);
  const damages = engine.events.filter(({ kind }) => kind === 'range-damaged').length;
  await engine.close();
  return { values, damages };
}

const { readPieces: _, ...oneByOne } = nodeDisk;
const refusing: Disk = { ...nodeDisk, readPieces: async () => undefined };
const disks: [string, Disk][] = [
  ['reads them in one go', nodeDisk],
  ['cannot do that', oneByOne],
  ['would rather not', refusing],
];

test.each(disks)('scattered batches come back in order on a disk that %s', async (_name, disk) => {
  const { dataDir, values } = await scattered();
  expect(await valuesOn(disk, dataDir)).toEqual({ values, damages: 0 });
});

test.each(disks)('a damaged one among them is passed over and told, on a disk that %s', async (_name, disk) => {
  const { dataDir, values } = await scattered();
  const lost = values[5]!;
  const journal = join(dataDir, 'v', 'journal');
  for (const name of readdirSync(journal).filter((file) => file.endsWith('.segment'))) {
    const bytes = readFileSync(join(journal, name));
    const at = bytes.indexOf(lost);
    if (at < 0) continue;
    bytes[at]! ^= 1;
    writeFileSync(join(journal, name), bytes);
  }
  expect(await valuesOn(disk, dataDir)).toEqual({ values: values.filter((value) => value !== lost), damages: 1 });
});
