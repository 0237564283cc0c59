import { basename } from 'node:path';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { FaultyDisk, SECTOR_BYTES, SeededRandom } from '@tickfold/testkit/faulty-disk';
import { expect, test } from 'vitest';
import { numberedBatch } from '../batches.ts';
import { readWholeLog } from './found.ts';

const DATA_DIR = '/data';
const TOPICS = ['v.one', 'v.two'];
const BATCHES = 40;
const ROUNDS = 30;

/** What may be wrong with the files of a journal, though its engine had closed in good order. */
const DAMAGES: Record<string, (disk: FaultyDisk, random: SeededRandom) => Promise<void> | void> = {
  'a flipped bit': (disk, random) => {
    const path = someFile(disk, random);
    disk.flipBit(path, random.below(disk.contentOf(path).length), random.below(8));
  },
  'a sector of another place': (disk, random) => {
    const [from, to] = [someFile(disk, random), someFile(disk, random)];
    const source = disk.contentOf(from);
    const at = random.below(Math.ceil(source.length / SECTOR_BYTES)) * SECTOR_BYTES;
    const sectors = Math.floor(disk.contentOf(to).length / SECTOR_BYTES);
    if (sectors === 0) return;
    disk.misdirect(to, random.below(sectors) * SECTOR_BYTES, source.subarray(at, at + SECTOR_BYTES));
  },
  'a file that is missing': (disk, random) => disk.remove(someFile(disk, random)),
  'a file in the place of another': async (disk, random) => {
    const [from, to] = [someFile(disk, random), someFile(disk, random)];
    if (from === to) return;
    await disk.remove(to);
    await disk.copy(from, to);
  },
  'a file of an earlier time': async (disk, random) => {
    const path = someFile(disk, random);
    const file = await disk.openForWriting(path);
    await file.truncate(random.below(await file.sizeBytes()));
    await file.close();
  },
};

test.each(Object.entries(DAMAGES))(
  'with %s among its files a journal gives back what was written or nothing, never anything else',
  async (_, damage) => {
    let served = 0;
    for (let seed = 0; seed < ROUNDS; seed++) {
      const disk = new FaultyDisk({ seed });
      const filled = await fill(disk);
      await damage(disk, new SeededRandom(seed));
      const engine = await open(disk);
      const refused = engine.volumes().find(({ stopped }) => stopped !== undefined);
      if (refused === undefined) {
        for (const topic of TOPICS) served += await countAsWritten(engine, topic, filled);
      } else {
        expect(refused.stopped?.mend, `seed ${seed}`).not.toBe('');
      }
      await engine.close();
    }
    // One damage of many files: most of what was written is there, most of the time.
    expect(served).toBeGreaterThan((ROUNDS * BATCHES) / 2);
  },
);

function open(disk: FaultyDisk): Promise<LogEngine> {
  return openLogEngine({ dataDir: DATA_DIR, disk, segmentBytes: 900, maintenanceIntervalMs: 0 });
}

/** What stands at each offset of each topic. */
async function fill(disk: FaultyDisk): Promise<Map<string, string[]>> {
  const engine = await open(disk);
  const filled = new Map<string, string[]>();
  for (const topic of TOPICS) {
    await engine.createTopic(topic, { partitionCount: 1 });
    filled.set(topic, []);
  }
  for (let i = 0; i < BATCHES; i++) {
    const topic = TOPICS[i % TOPICS.length]!;
    await engine.partition(topic, 0)!.append(numberedBatch(`r${i}`, 2), 'synced');
    filled.get(topic)!.push(`r${i}-0`, `r${i}-1`);
  }
  await engine.close();
  return filled;
}

/** Gives the number of records that are there, each at its offset. */
async function countAsWritten(engine: LogEngine, topic: string, filled: Map<string, string[]>): Promise<number> {
  const log = engine.partition(topic, 0);
  if (log === undefined) return 0;
  // Damage leaves gaps, as compaction does.
  const { records } = await readWholeLog(topic, log, true);
  expect(records.map(({ value }) => value)).toEqual(records.map(({ offset }) => filled.get(topic)![offset]));
  return records.length;
}

function someFile(disk: FaultyDisk, random: SeededRandom): string {
  const isOfJournal = (path: string): boolean => /^\d+(-\d+)?\.(segment|index)$/.test(basename(path));
  return random.pick(disk.filesUnder(DATA_DIR).filter(isOfJournal).sort());
}
