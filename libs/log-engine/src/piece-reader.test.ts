import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PieceReader } from './piece-reader.ts';

const CONTENT = Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => i * 7));
const NO_FILE = 1_000_000;

let folder: string;
let fd: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pieces-'));
  writeFileSync(join(folder, 'file'), CONTENT);
  fd = openSync(join(folder, 'file'), 'r');
});

afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Asks again where the disk was slow: then the pieces are left to others once. */
async function read(reader: PieceReader, pieces: { position: number; sizeBytes: number }[]): Promise<Buffer[]> {
  const wanted = pieces.map((piece) => ({ fd, ...piece }));
  return (await reader.read(wanted)) ?? (await reader.read(wanted))!;
}

const pieces = fc.array(fc.record({ position: fc.nat(6000), sizeBytes: fc.integer({ min: 1, max: 900 }) }), {
  minLength: 1,
});

test('each piece is what the file holds there, as far as the file reaches', async () => {
  const reader = new PieceReader();
  await fc.assert(
    fc.asyncProperty(pieces, async (wanted) => {
      const expected = wanted.map(({ position, sizeBytes }) => CONTENT.subarray(position, position + sizeBytes));
      expect(await read(reader, wanted)).toEqual(expected);
    }),
  );
});

test('readings that are under way at the same time each get their own pieces', async () => {
  const reader = new PieceReader();
  const places = [0, 100, 200].map((position) => [{ position, sizeBytes: 50 }]);
  const answers = await Promise.all(places.map((wanted) => read(reader, wanted)));
  expect(answers).toEqual([0, 100, 200].map((position) => [CONTENT.subarray(position, position + 50)]));
});

test('a read that fails tells the error of the system, and the next one is served', async () => {
  const reader = new PieceReader();
  await expect(reader.read([{ fd: NO_FILE, position: 0, sizeBytes: 1 }])).rejects.toMatchObject({
    code: 'EBADF',
    syscall: 'read',
  });
  expect(await read(reader, [{ position: 1, sizeBytes: 3 }])).toEqual([CONTENT.subarray(1, 4)]);
});
