/** The last segment after a crash or damage. Titles begin with the case's name in docs/formats/journal.md, Recovery. */
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME_TYPES } from '../src/frame.ts';
import { FRAME_HEADER } from '../src/layout.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import {
  appendTo,
  copyOf,
  type FoundFrame,
  flip,
  framesOf,
  lastSegment,
  withEngine,
  written,
} from './journal-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What a kill leaves of so many batches, each synced before the next, and then so many more of one write. */
async function killed(batchCount: number, moreAtOnce = 0): Promise<{ dataDir: string; values: string[] }> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await appendTo(engine, batchCount);
  const log = logOf(engine, 't');
  await Promise.all(Array.from({ length: moreAtOnce }, (_, i) => log.append(numberedBatch(`w${i}`), 'synced')));
  return { dataDir: copyOf(dataDir), values: await valuesOf(log) };
}

const batchesOf = (path: string): FoundFrame[] => framesOf(path).filter(({ type }) => type === FRAME_TYPES.batch);

/** Opens, does the work, closes; nothing here fills a segment. */
function reopened<T>(dataDir: string, work: Parameters<typeof withEngine<T>>[1]): Promise<T> {
  return withEngine(dataDir, work, {});
}

async function recoveredValues(dataDir: string): Promise<string[]> {
  return reopened(dataDir, (engine) => valuesOf(logOf(engine, 't')));
}

test('torn-tail: a tail torn at any byte loses just the frames that are not whole, and the log goes on there', async () => {
  const { dataDir, values } = await killed(4);
  const original = readFileSync(lastSegment(dataDir));
  const batches = batchesOf(lastSegment(dataDir));
  const copy = copyOf(dataDir);
  for (let keptBytes = original.length; keptBytes >= batches[2]!.to; keptBytes--) {
    writeFileSync(lastSegment(copy), original.subarray(0, keptBytes));
    const left = values.slice(0, batches.filter(({ to }) => to <= keptBytes).length);
    await reopened(copy, async (engine) => {
      expect(await valuesOf(logOf(engine, 't')), `${keptBytes} bytes`).toEqual(left);
      await logOf(engine, 't').append(numberedBatch('after'), 'synced');
    });
    expect(await recoveredValues(copy)).toEqual([...left, 'after-0']);
  }
});

test('torn-tail: zeros behind the last frame, as after a power cut, are cut off and told', async () => {
  for (const { dataDir, values } of [await killed(3), { dataDir: temporaryFolder(), values: undefined }]) {
    const expected = values ?? (await written(dataDir, 3));
    const sizeBytes = statSync(lastSegment(dataDir)).size;
    appendFileSync(lastSegment(dataDir), Buffer.alloc(4096));
    await reopened(dataDir, async (engine) => {
      expect(engine.events.map(({ kind }) => kind)).toEqual(['truncated-tail', 'recovered']);
      expect(statSync(lastSegment(dataDir)).size).toBe(sizeBytes);
      expect(await valuesOf(logOf(engine, 't'))).toEqual(expected);
    });
  }
});

test('torn-tail: a whole frame that stands a second time behind itself is left over and does not count', async () => {
  const { dataDir, values } = await killed(3);
  const last = batchesOf(lastSegment(dataDir)).at(-1)!;
  appendFileSync(lastSegment(dataDir), readFileSync(lastSegment(dataDir)).subarray(last.from, last.to));
  expect(await recoveredValues(dataDir)).toEqual(values);
});

test('torn-inside: frames behind one that is torn are cut off with it where no mark says that they were durable', async () => {
  const { dataDir, values } = await killed(3, 8);
  const torn = batchesOf(lastSegment(dataDir))[5]!;
  const bytes = readFileSync(lastSegment(dataDir));
  bytes.fill(0, torn.from, torn.to);
  writeFileSync(lastSegment(dataDir), bytes);
  await reopened(dataDir, async (engine) => {
    expect(engine.events.map(({ kind }) => kind)).toEqual(['truncated-tail', 'recovered']);
    expect(await valuesOf(logOf(engine, 't'))).toEqual(values.slice(0, 5));
    // As long as the frame that was lost, so that whole frames behind it would fit on if they were left there.
    await logOf(engine, 't').append(numberedBatch('x9'), 'synced');
  });
  expect(await recoveredValues(dataDir)).toEqual([...values.slice(0, 5), 'x9-0']);
});

test('damaged-inside: a damaged frame that a mark behind it calls durable is passed over and told, and the rest serves', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 9);
  const damaged = batchesOf(lastSegment(dataDir))[4]!;
  flip(lastSegment(dataDir), damaged.payloadTo - 1);
  const left = values.toSpliced(4, 1);
  for (const opening of ['first', 'second']) {
    await reopened(dataDir, async (engine) => {
      expect(engine.events.map(({ kind }) => kind)).toEqual(['range-damaged', 'recovered']);
      expect(engine.events[0]!.detail).toContain(`bytes ${damaged.from} to ${damaged.to}`);
      expect(await valuesOf(logOf(engine, 't'))).toEqual(left);
      expect(await valuesOf(logOf(engine, 't'), 4n)).toEqual(left.slice(4));
      const { baseOffset } = await logOf(engine, 't').append(numberedBatch(opening), 'synced');
      expect(baseOffset).toBe(BigInt(left.length + 1));
      left.push(`${opening}-0`);
    });
  }
});

test('damaged-inside: any bit flipped anywhere behind the checkpoint loses that frame, and what no mark vouches for', async () => {
  const { dataDir } = await killed(6, 6);
  await reopened(dataDir, (engine) => appendTo(engine, 2));
  const engine = await openEngine({ dataDir });
  await appendTo(engine, 2);
  const copy = copyOf(dataDir);
  const values = await valuesOf(logOf(engine, 't'));
  const [original, frames] = [readFileSync(lastSegment(copy)), framesOf(lastSegment(copy))];
  const batches = frames.filter(({ type }) => type === FRAME_TYPES.batch);
  const isIn = (at: number) => (frame: FoundFrame) => frame.from <= at && at < frame.payloadTo;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: batches[0]!.from, max: original.length - 1 }), fc.nat(7), async (at, bit) => {
      writeFileSync(lastSegment(copy), original);
      flip(lastSegment(copy), at, bit);
      const damaged = frames.find(isIn(at));
      const durableTo = Math.max(...frames.filter(({ from }) => damaged && from > damaged.from).map((f) => f.syncedTo));
      const isCut = damaged !== undefined && durableTo < damaged.to;
      const left = values.filter((_, i) => {
        const frame = batches[i]!;
        return frame !== damaged && !(isCut && frame.from > damaged.from);
      });
      const found = await reopened(copy, async (again) => {
        const before = await valuesOf(logOf(again, 't'));
        await logOf(again, 't').append(numberedBatch('x9'), 'synced');
        return before;
      });
      expect(found).toEqual(left);
      expect(await recoveredValues(copy)).toEqual([...left, 'x9-0']);
    }),
    { numRuns: 60 },
  );
});

test('damaged-inside: offsets of a damaged last batch are not given out again', async () => {
  const dataDir = temporaryFolder();
  await reopened(dataDir, async (engine) => {
    await appendTo(engine, 3);
    await logOf(engine, 't').append(numberedBatch('five', 5), 'synced');
  });
  const { payloadTo } = batchesOf(lastSegment(dataDir)).at(-1)!;
  flip(lastSegment(dataDir), payloadTo - 1);
  await reopened(dataDir, async (engine) => {
    expect(await valuesOf(logOf(engine, 't'))).toEqual(['v0-0', 'v1-0', 'v2-0']);
    expect(logOf(engine, 't').logEndOffset).toBe(8n);
  });
});

test('damaged-inside: what comes behind the damage and is torn later is cut, and no more than that', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 5);
  flip(lastSegment(dataDir), batchesOf(lastSegment(dataDir))[2]!.from);
  const engine = await openEngine({ dataDir });
  for (const label of ['kept', 'torn']) await logOf(engine, 't').append(numberedBatch(label), 'synced');
  const copy = copyOf(dataDir);
  truncateSync(lastSegment(copy), statSync(lastSegment(copy)).size - 1);
  expect(await recoveredValues(copy)).toEqual([...values.toSpliced(2, 1), 'kept-0']);
});

test('lost-record: a topic whose record was damaged is gone, and no other topic gets its batches', async () => {
  const dataDir = temporaryFolder();
  await reopened(dataDir, async (engine) => {
    const values = await appendTo(engine, 3);
    await engine.createTopic('lost', { partitionCount: 2 });
    await logOf(engine, 'lost', 1).append(numberedBatch('lost'), 'synced');
    await engine.commitOffsets('g', [{ topic: 't', partition: 0, offset: 2n, leaderEpoch: 0, metadata: '' }]);
    expect(values).toHaveLength(3);
  });
  const records = framesOf(lastSegment(dataDir)).filter(({ type }) => type === FRAME_TYPES.control);
  flip(lastSegment(dataDir), records[1]!.from + FRAME_HEADER.sizeBytes + 20);
  for (const opening of [1, 2]) {
    await reopened(dataDir, async (engine) => {
      expect(engine.events[0]).toMatchObject({
        kind: 'range-damaged',
        detail: expect.stringContaining('topics and group offsets'),
      });
      expect(engine.topics().map(({ name }) => name)).not.toContain('lost');
      expect(engine.committedOffsets('g')).toMatchObject([{ offset: 2n }]);
      expect(await valuesOf(logOf(engine, 't'))).toEqual(['v0-0', 'v1-0', 'v2-0']);
      const name = `new${opening}`;
      await engine.createTopic(name, { partitionCount: 2 });
      for (const partition of [0, 1]) expect(await valuesOf(logOf(engine, name, partition))).toEqual([]);
      await logOf(engine, name, 1).append(numberedBatch('mine'), 'synced');
      expect(await valuesOf(logOf(engine, name, 1))).toEqual(['mine-0']);
    });
  }
});

test('unsynced-tail: what a killed process wrote is synced before anyone sees it', async () => {
  const { dataDir, values } = await killed(2);
  const segment = lastSegment(dataDir);
  const before = framesOf(segment).length;
  await reopened(dataDir, async (engine) => expect(await valuesOf(logOf(engine, 't'))).toEqual(values));
  const mark = framesOf(segment).at(-1)!;
  expect(mark).toMatchObject({ type: FRAME_TYPES.mark, syncedTo: mark.from });
  expect(framesOf(segment)).toHaveLength(before + 1);
});

test('a journal that is opened and closed without an append stays as it is', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 2);
  const before = readFileSync(lastSegment(dataDir));
  await reopened(dataDir, async () => undefined);
  expect(readFileSync(lastSegment(dataDir)).equals(before)).toBe(true);
});

test('a mark stands before what is appended after a sync, and one on close says that all is durable', async () => {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir });
  await appendTo(engine, 2);
  const log = logOf(engine, 't');
  await Promise.all(['a', 'b', 'c'].map((label) => log.append(numberedBatch(label), 'synced')));
  await engine.close();
  const { batch, control, checkpoint, mark } = FRAME_TYPES;
  const frames = framesOf(lastSegment(dataDir));
  expect(frames.map(({ type }) => type)).toEqual([
    ...[checkpoint, control],
    ...[mark, batch, mark, batch],
    ...[mark, batch, batch, batch],
    mark,
  ]);
  for (const [i, frame] of frames.entries()) if (frame.type === mark) expect(frame.syncedTo).toBe(frames[i]!.from);
});
