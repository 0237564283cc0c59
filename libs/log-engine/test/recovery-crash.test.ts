/** Crashes while a crash is being mended. Titles begin with the case's name in docs/formats/journal.md, Recovery. */
import { FaultyDisk } from '@tickfold/testkit/faulty-disk';
import { expect, test } from 'vitest';
import { openLogEngine } from '../src/engine.ts';
import { SEGMENT_HEADER } from '../src/layout.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const OPTIONS = { dataDir: '/data', segmentBytes: 2048, maintenanceIntervalMs: 0 };
const JOURNAL = '/data/default/journal';

/** A disk with a journal that needs about everything mended that can be, and the values that are to be there after that. */
async function damagedDisk(seed: number): Promise<{ disk: FaultyDisk; values: string[] }> {
  const first = new FaultyDisk({ seed });
  const engine = await openEngine({ ...OPTIONS, disk: first });
  await engine.createTopic('t', { partitionCount: 1 });
  const log = logOf(engine, 't');
  for (let i = 0; i < 45; i++) await log.append(numberedBatch(`v${i}`), 'synced');
  const values = await valuesOf(log);
  await engine.close();

  // An index gone, a damaged batch that was acknowledged, and half a frame at the end.
  const disk = first.afterKill();
  await disk.remove(`${JOURNAL}/0000000002.index`);
  const last = disk
    .filesUnder(JOURNAL)
    .filter((path) => path.endsWith('.segment'))
    .sort()
    .at(-1)!;
  const bytes = disk.contentOf(last);
  const damaged = values.findIndex((value) => bytes.includes(value, SEGMENT_HEADER.sizeBytes));
  disk.flipBit(last, bytes.indexOf(values[damaged]!), 1);
  const file = await disk.openForWriting(last);
  await file.write([Buffer.alloc(100, 7)], bytes.length);
  await (await disk.create(`${JOURNAL}/0000000009.segment.tmp`)).close();
  return { disk, values: values.toSpliced(damaged, 1) };
}

test.each([1, 2])(
  'crash-again: a crash at any call of a recovery leaves what the next one can mend (seed %i)',
  async (seed) => {
    let crashes = 0;
    for (let callCount = 1; ; callCount++) {
      const { disk, values } = await damagedDisk(seed);
      disk.crashAfter(callCount);
      const opened = await openLogEngine({ ...OPTIONS, disk }).catch(() => undefined);
      disk.crashAfter(Number.POSITIVE_INFINITY);
      if (opened !== undefined) {
        expect(await valuesOf(logOf(opened, 't'))).toEqual(values);
        await opened.close();
        break;
      }
      crashes++;
      const again = await openEngine({ ...OPTIONS, disk: disk.afterPowerLoss() });
      expect(again.volumes()[0]!.stopped, `crash at call ${callCount}`).toBeUndefined();
      expect(await valuesOf(logOf(again, 't')), `crash at call ${callCount}`).toEqual(values);
      const { baseOffset } = await logOf(again, 't').append(numberedBatch('more'), 'synced');
      expect(baseOffset).toBe(45n);
    }
    expect(crashes).toBeGreaterThan(20);
  },
);

test('too many open files while the data folder is opened are told as that, and nothing is lost', async () => {
  const { disk, values } = await damagedDisk(3);
  disk.fail({ call: 'open', code: 'EMFILE', path: 'journal' });
  const problem = { code: 'folder-unusable', mend: expect.stringContaining('ulimit') };
  await expect(openEngine({ ...OPTIONS, disk })).rejects.toMatchObject(problem);
  expect(await valuesOf(logOf(await openEngine({ ...OPTIONS, disk }), 't'))).toEqual(values);
});

test('a read that finds too many open files fails, to be tried again, and nothing stops', async () => {
  const { disk, values } = await damagedDisk(4);
  const engine = await openEngine({ ...OPTIONS, disk });
  const log = logOf(engine, 't');
  disk.fail({ call: 'open', code: 'EMFILE', path: 'journal' });
  await expect(log.read(0n, 100)).rejects.toMatchObject({
    code: 'read-failed',
    retry: true,
    mend: expect.stringContaining('ulimit'),
  });
  await log.append(numberedBatch('more'), 'synced');
  expect(await valuesOf(log)).toEqual([...values, 'more-0']);
  expect(engine.volumes()[0]!.stopped).toBeUndefined();
});

test('a clock that jumps, both ways, changes the times of appends and nothing else', async () => {
  const dataDir = temporaryFolder();
  const dayMs = 86_400_000;
  const times = [0, 400 * dayMs, -dayMs, 5, 4, -400 * dayMs].map((jumpMs) => 1_800_000_000_000 + jumpMs);
  let now = times[0]!;
  const options = { dataDir, segmentBytes: 2048, clock: () => now };
  for (let opening = 0; opening < 2; opening++) {
    const engine = await openEngine(options);
    if (opening === 0) await engine.createTopic('t', { partitionCount: 1 });
    const log = logOf(engine, 't');
    for (let i = 0; i < 30; i++) {
      now = times[i % times.length]!;
      const { baseOffset, appendTimeMs } = await log.append(numberedBatch(`v${i}`), 'synced');
      expect([baseOffset, appendTimeMs]).toEqual([BigInt(opening * 30 + i), now]);
    }
    expect(await valuesOf(log)).toHaveLength((opening + 1) * 30);
    await engine.close();
  }
});
