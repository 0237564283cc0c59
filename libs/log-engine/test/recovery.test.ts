import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { expect, test } from 'vitest';
import { FORMAT_VERSION, SEGMENT_HEADER } from '../src/layout.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { flip, journalOf, lastSegment, withEngine, written } from './journal-files.ts';
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

test.each(indexDamages)('an index that is %s is rebuilt, and nothing is lost', async (_, damage) => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const index = join(journalOf(dataDir), '0000000002.index');
  const original = readFileSync(index);
  damage(index, join(journalOf(dataDir), '0000000003.index'));
  await withEngine(dataDir, async (engine) => expect(await valuesOf(logOf(engine, 't'))).toEqual(values));
  expect(readFileSync(index).equals(original)).toBe(true);
});

test('a damaged frame in a sealed segment is passed over and told, with its index and without', async () => {
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

const segmentDamages: [string, (path: string, other: string) => void][] = [
  ['with a damaged header', (path) => flip(path, 3)],
  ['that is empty', (path) => truncateSync(path, 0)],
  ['that stands under a wrong number', (path, other) => cpSync(other, path)],
  ['that is missing', (path) => rmSync(path)],
];

test.each(segmentDamages)('a segment in the middle %s is passed over, the rest serves', async (_, damage) => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const perSegment = await valuesPerSegment(dataDir, values);
  damage(join(journalOf(dataDir), '0000000002.segment'), join(journalOf(dataDir), '0000000003.segment'));
  await withEngine(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(values.filter((value) => !perSegment[1]!.includes(value)));
    expect(await logOf(engine, 't').append(numberedBatch('more'), 'synced')).toMatchObject({ baseOffset: 60n });
  });
});

test('a segment of another volume is passed over', async () => {
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

test('when the oldest segments are missing, logs start behind them', async () => {
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

test('left-overs of an interrupted write are removed', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 3);
  for (const name of ['0000000002.segment.tmp', '0000000001.index.tmp', '0000000009.index']) {
    writeFileSync(join(journalOf(dataDir), name), 'half');
  }
  await withEngine(dataDir, async (engine) => expect(await valuesOf(logOf(engine, 't'))).toEqual(values));
  expect(readdirSync(journalOf(dataDir))).toEqual(['0000000001.segment']);
});

test('a segment of a newer format is refused by name, wherever it stands', async () => {
  for (const name of ['0000000002.segment', 'last']) {
    const dataDir = temporaryFolder();
    await written(dataDir, 60);
    const path = name === 'last' ? lastSegment(dataDir) : join(journalOf(dataDir), name);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(FORMAT_VERSION + 1, SEGMENT_HEADER.at.formatVersion);
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, SEGMENT_HEADER.at.crc)), SEGMENT_HEADER.at.crc);
    writeFileSync(path, bytes);
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      code: 'format-newer',
      message: `${path} has journal format ${FORMAT_VERSION + 1}; this version reads up to ${FORMAT_VERSION}`,
    });
  }
});

test('a newest segment that does not begin as one is refused and left as it is', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  flip(lastSegment(dataDir), 0);
  const before = readFileSync(lastSegment(dataDir));
  await expect(openEngine({ dataDir })).rejects.toMatchObject({ code: 'not-a-segment' });
  expect(readFileSync(lastSegment(dataDir)).equals(before)).toBe(true);
});

test('a newest segment with a damaged checkpoint is refused and not cut', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  flip(lastSegment(dataDir), SEGMENT_HEADER.sizeBytes + 50);
  const before = readFileSync(lastSegment(dataDir));
  await expect(openEngine({ dataDir })).rejects.toMatchObject({ code: 'journal-damaged' });
  expect(readFileSync(lastSegment(dataDir)).equals(before)).toBe(true);
});

test('a folder that was refused can be opened once it is mended', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  const [last, aside] = [lastSegment(dataDir), join(dataDir, 'aside')];
  const perSegment = await valuesPerSegment(dataDir, values);
  flip(last, 0);
  await expect(openEngine({ dataDir })).rejects.toMatchObject({ code: 'not-a-segment' });
  renameSync(last, aside);
  await withEngine(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(perSegment.slice(0, -1).flat());
  });
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
