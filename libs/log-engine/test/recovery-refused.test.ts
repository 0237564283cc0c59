/** Volumes that cannot be opened. Titles begin with the case's name in docs/formats/journal.md, Recovery. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { expect, test } from 'vitest';
import { FRAME_TYPES, writeTextFrameAround } from '../src/frame.ts';
import { FORMAT_VERSION, FRAME_HEADER, SEGMENT_HEADER } from '../src/layout.ts';
import { stageVolume } from '../src/staged-volume.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, valuesOf } from './engines.ts';
import { FailingDisk } from './failing-disk.ts';
import { flip, framesOf, journalOf, lastSegment, withEngine, written } from './journal-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Opens a folder whose volume `default` is damaged, and gives why that was refused. The file is left as it is. */
async function refusalOf(
  dataDir: string,
  damagedPath: string,
  disk?: FailingDisk,
): Promise<{ reason: string; mend: string }> {
  const before = readFileSync(damagedPath);
  const engine = await openEngine({ dataDir }, disk);
  const volume = engine.volumes().find(({ name }) => name === 'default');
  expect(volume).toMatchObject({ sizeBytes: 0, segments: 0 });
  const { reason, mend } = volume!.stopped!;
  expect(engine.events).toContainEqual({ kind: 'volume-stopped', volume: 'default', detail: reason, mend });
  await engine.close();
  expect(readFileSync(damagedPath).equals(before)).toBe(true);
  return { reason, mend };
}

test('format-newer: a segment of a newer format is refused by name, wherever it stands', async () => {
  for (const name of ['0000000002.segment', 'last']) {
    const dataDir = temporaryFolder();
    await written(dataDir, 60);
    const path = name === 'last' ? lastSegment(dataDir) : join(journalOf(dataDir), name);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(FORMAT_VERSION + 1, SEGMENT_HEADER.at.formatVersion);
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, SEGMENT_HEADER.at.crc)), SEGMENT_HEADER.at.crc);
    writeFileSync(path, bytes);
    const { reason, mend } = await refusalOf(dataDir, path);
    expect(reason).toBe(
      `volume default was not opened: ${path} has journal format ${FORMAT_VERSION + 1}; ` +
        `this version reads up to ${FORMAT_VERSION}`,
    );
    expect(mend).toContain('newer');
  }
});

test('unknown-record: a journal with a record of an unknown kind behind its last checkpoint is refused', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  const path = lastSegment(dataDir);
  const record = framesOf(path).find(({ type }) => type === FRAME_TYPES.control)!;
  const bytes = readFileSync(path);
  const payloadBytes = record.payloadTo - record.from - FRAME_HEADER.sizeBytes;
  const text = bytes
    .subarray(record.from, record.payloadTo)
    .toString('latin1')
    .replace('topic-created', 'topic-of-1999');
  bytes.write(text, record.from, 'latin1');
  const { control: type } = FRAME_TYPES;
  const place = { type, partitionId: 0, segmentNumber: 1, position: record.from, appendTimeMs: 0 };
  writeTextFrameAround(bytes, record.from, payloadBytes, place);
  writeFileSync(path, bytes);
  expect((await refusalOf(dataDir, path)).reason).toContain('unknown kind "topic-of-1999"');
});

test('newest-unknown: a newest segment that does not begin as one is refused and left as it is', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  flip(lastSegment(dataDir), 0);
  const { reason, mend } = await refusalOf(dataDir, lastSegment(dataDir));
  expect(reason).toContain('does not begin with its segment header');
  expect(mend).toContain('Restore the file');
});

test('checkpoint-damaged: a newest segment with a damaged checkpoint is refused and not cut', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  flip(lastSegment(dataDir), SEGMENT_HEADER.sizeBytes + 50);
  expect((await refusalOf(dataDir, lastSegment(dataDir))).reason).toContain('has no whole checkpoint');
});

test('unreadable: a volume whose files the disk does not give is refused with what the system says', async () => {
  const dataDir = temporaryFolder();
  await written(dataDir, 3);
  const disk = new FailingDisk();
  disk.beforeReading = async (path) => {
    if (path.includes('default')) throw Object.assign(new Error(`EIO: open ${path}`), { code: 'EIO', syscall: 'open' });
  };
  expect((await refusalOf(dataDir, lastSegment(dataDir), disk)).reason).toContain('EIO');
});

/** A data folder with a volume `good` that is fine and a volume `bad` that is not, and what they held. */
async function halfDamaged(): Promise<{ dataDir: string; badSegment: string }> {
  const dataDir = temporaryFolder();
  await withEngine(dataDir, async (engine) => {
    for (const volume of ['good', 'bad']) {
      await engine.createTopic(`${volume}.t`, { partitionCount: 1 });
      await logOf(engine, `${volume}.t`).append(numberedBatch('kept'), 'synced');
      const offsets = [{ topic: `${volume}.t`, partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }];
      await engine.commitOffsets(`${volume}.g`, offsets);
    }
  });
  const badSegment = join(journalOf(dataDir, 'bad'), '0000000001.segment');
  flip(badSegment, 0);
  return { dataDir, badSegment };
}

test('refused: a volume that cannot be opened keeps no other one from serving', async () => {
  const { dataDir } = await halfDamaged();
  const engine = await openEngine({ dataDir });
  expect(await valuesOf(logOf(engine, 'good.t'))).toEqual(['kept-0']);
  await logOf(engine, 'good.t').append(numberedBatch('more'), 'synced');
  expect(engine.topics().map(({ name }) => name)).toEqual(['good.t']);
  expect(engine.groupsWithOffsets()).toEqual(['good.g']);
  expect(engine.volumes().map(({ name, stopped }) => [name, stopped === undefined])).toEqual([
    ['good', true],
    ['bad', false],
  ]);
});

test('refused: whoever asks for its topics or groups is told that it is stopped and why, and nothing is made in it', async () => {
  const { dataDir, badSegment } = await halfDamaged();
  const staged = await stageVolume(dataDir, 'other');
  await staged.discard();
  const before = readFileSync(badSegment);
  const engine = await openEngine({ dataDir });
  const refusal = { code: 'volume-stopped', message: expect.stringContaining(badSegment) };
  for (const name of ['bad.t', 'bad.none']) {
    expect(() => engine.topic(name)).toThrow(expect.objectContaining(refusal));
    expect(() => engine.partition(name, 0)).toThrow(expect.objectContaining(refusal));
    await expect(engine.deleteTopic(name)).rejects.toMatchObject(refusal);
    await expect(engine.createTopic(name, { partitionCount: 1 })).rejects.toMatchObject(refusal);
  }
  expect(() => engine.committedOffsets('bad.g')).toThrow(expect.objectContaining(refusal));
  await expect(engine.deleteGroupOffsets('bad.g')).rejects.toMatchObject(refusal);
  const offsets = [{ topic: 'good.t', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }];
  await expect(engine.commitOffsets('bad.g', offsets)).rejects.toMatchObject(refusal);
  await expect(engine.createSnapshot('bad@now', {})).rejects.toMatchObject(refusal);
  await engine.close();
  expect(readFileSync(badSegment).equals(before)).toBe(true);
});

test('refused: a mended volume is there again when the folder is opened anew', async () => {
  const { dataDir, badSegment } = await halfDamaged();
  await (await openEngine({ dataDir })).close();
  flip(badSegment, 0);
  const engine = await openEngine({ dataDir });
  expect(await valuesOf(logOf(engine, 'bad.t'))).toEqual(['kept-0']);
  expect(engine.committedOffsets('bad.g')).toHaveLength(1);
});

test('refused: a volume opens without its newest segment once that was moved away', async () => {
  const dataDir = temporaryFolder();
  const values = await written(dataDir, 60);
  flip(lastSegment(dataDir), 0);
  renameSync(lastSegment(dataDir), join(dataDir, 'aside'));
  const engine = await openEngine({ dataDir });
  const left = await valuesOf(logOf(engine, 't'));
  expect(left.length).toBeGreaterThan(0);
  expect(left).toEqual(values.slice(0, left.length));
});

test('refused: it can be deleted, and its name is free then', async () => {
  const { dataDir } = await halfDamaged();
  const engine = await openEngine({ dataDir });
  await engine.deleteVolume('bad');
  expect(engine.volumes().map(({ name }) => name)).toEqual(['good']);
  await engine.createTopic('bad.t', { partitionCount: 1 });
  expect(await valuesOf(logOf(engine, 'bad.t'))).toEqual([]);
});
