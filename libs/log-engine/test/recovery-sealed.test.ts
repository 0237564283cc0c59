/** Sealed segments after damage. Titles begin with the case's name in docs/formats/journal.md, Recovery. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FRAME_TYPES } from '../src/frame.ts';
import { numberedBatch } from './batches.ts';
import { logOf, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { appendTo, flip, framesOf, journalOf, lastSegment, withEngine, written } from './journal-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

const indexDamages: [string, (path: string, other: string) => void][] = [
  ['missing', (path) => rmSync(path)],
  ['empty', (path) => truncateSync(path, 0)],
  ['cut', (path) => truncateSync(path, statSync(path).size - 1)],
  ['stale: its header has a flipped bit', (path) => flip(path, 33)],
  ['damaged in its directory', (path) => flip(path, 70)],
  ['damaged in its last entry', (path) => flip(path, statSync(path).size - 20)],
  ['that of another segment', (path, other) => cpSync(other, path)],
];

test.each(indexDamages)('index-untrusted: an index that is %s is rebuilt, and nothing is lost', async (_, damage) => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const index = join(journalOf(dataDir), '0000000002.index');
  const original = readFileSync(index);
  damage(index, join(journalOf(dataDir), '0000000003.index'));
  await withEngine(dataDir, async (engine) => expect(await valuesOf(logOf(engine, 't'))).toEqual(values));
  expect(readFileSync(index).equals(original)).toBe(true);
});

test('damaged-sealed, damaged-later: a damaged frame in a sealed segment is passed over and told, with its index and without', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const segment = join(journalOf(dataDir), '0000000002.segment');
  const at = readFileSync(segment).indexOf('v2') + 1;
  const lost = values.find((value) => value.startsWith(readFileSync(segment).toString('latin1', at - 1, at + 2)))!;
  flip(segment, at);
  const left = values.filter((value) => value !== lost);
  await withEngine(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(left);
    expect(await valuesOf(logOf(engine, 't'))).toEqual(left);
    expect(engine.events.filter(({ kind }) => kind === 'range-damaged')).toHaveLength(1);
  });
  rmSync(join(journalOf(dataDir), '0000000002.index'));
  await withEngine(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(left);
    expect(engine.events.map(({ kind }) => kind)).toEqual(['index-rebuilt', 'range-damaged', 'recovered']);
  });
});

const segmentDamages: [string, string, (path: string, other: string) => void][] = [
  ['segment-damaged', 'has a damaged header', (path) => flip(path, 3)],
  ['segment-damaged', 'is empty', (path) => truncateSync(path, 0)],
  ['segment-misplaced', 'is a duplicate of another one', (path, other) => cpSync(other, path)],
  ['segment-missing', 'is missing', (path) => rmSync(path)],
];

test.each(segmentDamages)('%s: a segment in the middle that %s is passed over, the rest serves', async (...row) => {
  const damage = row[2];
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const perSegment = await valuesPerSegment(dataDir, values);
  damage(join(journalOf(dataDir), '0000000002.segment'), join(journalOf(dataDir), '0000000003.segment'));
  await withEngine(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(values.filter((value) => !perSegment[1]!.includes(value)));
    const told = engine.events.some(({ kind, detail }) => kind === 'range-damaged' && detail.includes('0000000002'));
    expect(told).toBe(row[0] !== 'segment-missing');
    expect(await logOf(engine, 't').append(numberedBatch('more'), 'synced')).toMatchObject({ baseOffset: 60n });
  });
});

test('segment-foreign: a segment of another volume is passed over', async () => {
  const [dataDir, foreign] = [temporaryFolder(), temporaryFolder()];
  const values = await written(dataDir, 60);
  await written(foreign, 60);
  const perSegment = await valuesPerSegment(dataDir, values);
  cpSync(join(journalOf(foreign), '0000000002.segment'), join(journalOf(dataDir), '0000000002.segment'));
  await withEngine(dataDir, async (engine) => {
    expect(engine.events.map(({ kind }) => kind)).toContain('range-damaged');
    expect(await valuesOf(logOf(engine, 't'))).toEqual(values.filter((value) => !perSegment[1]!.includes(value)));
  });
});

test('oldest-missing: when the oldest segments are missing, logs start behind them', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const perSegment = await valuesPerSegment(dataDir, values);
  rmSync(join(journalOf(dataDir), '0000000001.segment'));
  await withEngine(dataDir, async (engine) => {
    const log = logOf(engine, 't');
    expect(log.logStartOffset).toBe(BigInt(perSegment[0]!.length));
    expect(await valuesOf(log)).toEqual(values.slice(perSegment[0]!.length));
  });
  expect(existsSync(join(journalOf(dataDir), '0000000001.index'))).toBe(false);
});

test('segment-stale: a segment that comes back after retention took it away gives its records no second life', async () => {
  const dataDir = temporaryFolder();
  const options = { segmentBytes: 2048, volumeQuotaBytes: 10_000 };
  const [first, aside] = [join(journalOf(dataDir), '0000000001.segment'), join(dataDir, 'aside')];
  const logStart = await withEngine(
    dataDir,
    async (engine) => {
      await appendTo(engine, 20);
      cpSync(first, aside);
      await appendTo(engine, 150);
      return logOf(engine, 't').logStartOffset;
    },
    options,
  );
  expect(logStart).toBeGreaterThan(40n);
  cpSync(aside, first);
  await withEngine(
    dataDir,
    async (engine) => {
      // What the last checkpoint knew of it: retention may have gone on since.
      expect(logOf(engine, 't').logStartOffset).toBeGreaterThan(40n);
      expect(await valuesOf(logOf(engine, 't'))).toHaveLength(Number(170n - logStart));
      await expect(logOf(engine, 't').read(0n, 1)).rejects.toMatchObject({ code: 'offset-out-of-range' });
    },
    // With more room than before, or the quota would take it away at once.
    { ...options, volumeQuotaBytes: 100_000 },
  );
});

test('newest-missing: when the newest segment is missing, that is told and the one before it goes on', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const perSegment = await valuesPerSegment(dataDir, values);
  rmSync(lastSegment(dataDir));
  const left = perSegment.slice(0, -1).flat();
  await withEngine(dataDir, async (engine) => {
    expect(engine.events[0]).toMatchObject({
      kind: 'range-damaged',
      detail: expect.stringContaining('had a successor'),
    });
    expect(await valuesOf(logOf(engine, 't'))).toEqual(left);
    await logOf(engine, 't').append(numberedBatch('more'), 'synced');
  });
  await withEngine(dataDir, async (engine) => {
    expect(engine.events.map(({ kind }) => kind)).toEqual(['recovered']);
    expect(await valuesOf(logOf(engine, 't'))).toEqual([...left, 'more-0']);
  });
});

test('format-older: a volume of format 1 is read, appended to, and read again', async () => {
  const dataDir = temporaryFolder();
  cpSync(new URL('fixtures/format-1/market', import.meta.url), join(dataDir, 'market'), { recursive: true });
  const values = [0, 1].map((parity) => Array.from({ length: 10 }, (_, i) => `v${i * 2 + parity}-0`));
  values[0]!.push('tail-0', 'tail-1', 'tail-2');
  for (const opening of ['first', 'second']) {
    await withEngine(
      dataDir,
      async (engine) => {
        expect(engine.events.map(({ kind }) => kind)).toEqual(['recovered']);
        expect(engine.topics()).toMatchObject([{ name: 'market.ticks', settings: { 'retention.ms': '86400000' } }]);
        expect(engine.committedOffsets('market.g')).toMatchObject([{ partition: 1, offset: 7n, metadata: 'kept' }]);
        for (const partition of [0, 1]) {
          const log = logOf(engine, 'market.ticks', partition);
          expect(await valuesOf(log)).toEqual(values[partition]);
          await log.append(numberedBatch(opening), 'synced');
          values[partition]!.push(`${opening}-0`);
        }
      },
      {},
    );
  }
  const frames = framesOf(join(journalOf(dataDir, 'market'), '0000000003.segment'));
  expect(frames.filter(({ type }) => type === FRAME_TYPES.mark)).toEqual([]);
});

test('format-older: a snapshot of format 1 is read', async () => {
  const dataDir = temporaryFolder();
  cpSync(new URL('fixtures/format-1/market@first', import.meta.url), join(dataDir, '.snapshots/market@first'), {
    recursive: true,
  });
  const snapshot = await readSnapshot(dataDir, 'market@first');
  expect(snapshot.manifest).toMatchObject({ formatVersion: 1, pins: { why: 'fixture' } });
  expect(await valuesOf(readerOf(snapshot, 'market.ticks', 1))).toHaveLength(10);
});

/** Which of the values lie in which segment, found by their text. */
async function valuesPerSegment(dataDir: string, values: string[]): Promise<string[][]> {
  const names = readdirSync(journalOf(dataDir)).filter((name) => name.endsWith('.segment'));
  expect(names.length).toBeGreaterThan(3);
  return names.sort().map((name) => {
    const text = readFileSync(join(journalOf(dataDir), name), 'latin1');
    return values.filter((value) => text.includes(value));
  });
}
