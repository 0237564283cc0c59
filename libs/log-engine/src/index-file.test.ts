import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingList } from './batch-list.ts';
import { Directory, encodeIndex, entriesOf, readIndexHeader, summarize } from './index-file.ts';

const segment = {
  volumeId: Buffer.alloc(16, 7),
  segmentNumber: 3,
  generation: 0,
  segmentBytes: 4096,
  segmentHeaderCrc: 99,
};

interface Batch {
  records: number;
  gap: number;
  timestampMs: number;
  batchBytes: number;
}

const batches = fc.array(
  fc.record<Batch>({
    records: fc.integer({ min: 1, max: 1000 }),
    gap: fc.nat(3),
    timestampMs: fc.maxSafeInteger(),
    batchBytes: fc.integer({ min: 61, max: 2 ** 20 }),
  }),
  { minLength: 1, maxLength: 40 },
);
const firstOffset = fc.integer({ min: 0, max: 2 ** 52 });

function listOf(start: number, rows: Batch[]): GrowingList {
  const list = new GrowingList();
  let offset = start;
  rows.forEach(({ records, gap, timestampMs, batchBytes }, i) => {
    list.add(offset + gap, records - 1, timestampMs, 64 + i * 8, batchBytes, i & 0xffff);
    offset += gap + records;
  });
  return list;
}

test('an index gives every partition its batches back, and no others', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.nat(), firstOffset, batches), { selector: ([id]) => id }), (partitions) => {
      const lists = new Map(partitions.map(([id, start, rows]) => [id, listOf(start, rows)]));
      const encoded = encodeIndex(segment, lists);
      expect(readIndexHeader(encoded.header, segment)).toMatchObject({
        directoryBytes: encoded.directory.length,
        entriesBytes: encoded.entries.length,
      });
      const directory = new Directory(encoded.directory);
      expect([...directory.rows()].map((row) => row.partitionId)).toEqual([...lists.keys()].sort((a, b) => a - b));
      for (const [id, list] of lists) {
        const row = directory.find(id)!;
        expect(entriesOf(encoded.entries, row).equals(list.bytes)).toBe(true);
        expect({ ...row, firstEntry: 0 }).toEqual(summarize(id, list));
      }
      expect(directory.find(2 ** 32 - 1)).toBeUndefined();
    }),
  );
});

test('an index is trusted only by the very segment it was made of', () => {
  const { header } = encodeIndex(segment, new Map());
  expect(readIndexHeader(header, segment)).toBeDefined();
  expect(readIndexHeader(header, { ...segment, segmentNumber: 4 })).toBeUndefined();
  expect(readIndexHeader(header, { ...segment, segmentBytes: 4104 })).toBeUndefined();
  expect(readIndexHeader(header, { ...segment, segmentHeaderCrc: 98 })).toBeUndefined();
  expect(readIndexHeader(header, { ...segment, volumeId: Buffer.alloc(16, 8) })).toBeUndefined();
});

test('a flipped bit anywhere in the header makes an index untrusted', () => {
  const { header } = encodeIndex(segment, new Map());
  for (let bit = 0; bit < header.length * 8; bit++) {
    const flipped = Buffer.from(header);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(readIndexHeader(flipped, segment), `bit ${bit}`).toBeUndefined();
  }
});

test('a list finds the first batch that ends at or after an offset, as a plain search does', () => {
  fc.assert(
    fc.property(firstOffset, batches, fc.nat(50_000), (start, rows, distance) => {
      const list = listOf(start, rows);
      const ends = Array.from({ length: list.count }, (_, i) => list.lastOffset(i));
      const plain = ends.findIndex((end) => end >= start + distance);
      expect(list.firstEndingAtOrAfter(start + distance)).toBe(plain < 0 ? list.count : plain);
    }),
  );
});

test('a list gives back what was added to it', () => {
  fc.assert(
    fc.property(firstOffset, batches, (start, rows) => {
      const list = listOf(start, rows);
      const read = rows.map((_, i) => ({
        timestampMs: list.maxTimestampMs(i),
        batchBytes: list.batchBytes(i),
        records: list.lastOffset(i) - list.baseOffset(i) + 1,
        position: list.position(i),
      }));
      expect(read).toEqual(
        rows.map(({ timestampMs, batchBytes, records }, i) => ({
          timestampMs,
          batchBytes,
          records,
          position: 64 + i * 8,
        })),
      );
    }),
  );
});
