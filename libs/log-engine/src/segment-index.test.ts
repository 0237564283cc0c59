import { expect, test } from 'vitest';
import { GrowingList } from './batch-list.ts';
import { Directory, encodeIndex, entriesOf } from './index-file.ts';
import { IndexCache, SealedIndex } from './segment-index.ts';

const PARTITIONS = 20;
const segment = {
  volumeId: Buffer.alloc(16, 7),
  segmentNumber: 1,
  generation: 0,
  segmentBytes: 4096,
  segmentHeaderCrc: 1,
};

/** An index whose partition `id` has `id` batches, and what was read of it. */
function sealed({ cacheBytes = 1e6, damaged = -1 } = {}) {
  const lists = new Map<number, GrowingList>();
  for (let id = 1; id <= PARTITIONS; id++) {
    const list = new GrowingList();
    for (let i = 0; i < id; i++) list.add(i, 0, i, i * 8, 100, 0);
    lists.set(id, list);
  }
  const encoded = encodeIndex(segment, lists);
  const directory = new Directory(encoded.directory);
  const read: (number | 'all')[] = [];
  const index = new SealedIndex(directory, new IndexCache(cacheBytes), {
    async readPart(_, i) {
      const { partitionId } = directory.row(i);
      read.push(partitionId);
      return partitionId === damaged ? undefined : entriesOf(encoded.entries, directory.row(i));
    },
    async readAll() {
      read.push('all');
      return { directory, entries: encoded.entries };
    },
  });
  return { index, read };
}

test('the entries of one partition are read without those of others, and once', async () => {
  const { index, read } = sealed();
  expect((await index.batches(7)).count).toBe(7);
  expect((await index.batches(7)).count).toBe(7);
  expect((await index.batches(99)).count).toBe(0);
  expect(read).toEqual([7]);
});

test('who asks while entries are being read waits for the same ones', async () => {
  const { index, read } = sealed();
  const [a, b] = await Promise.all([index.batches(7), index.batches(7)]);
  expect([a.count, b.count]).toEqual([7, 7]);
  expect(read).toEqual([7]);
});

test('where the entries of one partition are not to be trusted, all are read, and serve the others too', async () => {
  const { index, read } = sealed({ damaged: 7 });
  expect((await index.batches(7)).count).toBe(7);
  expect((await index.batches(8)).count).toBe(8);
  expect(read).toEqual([7, 'all']);
});

test('once all entries were read, each partition is found among them', async () => {
  const { index, read } = sealed();
  await index.loadAll();
  for (let id = 1; id <= PARTITIONS; id++) expect((await index.batches(id)).count).toBe(id);
  expect(read).toEqual(['all']);
});

test('a full cache lets go of the entries that were used longest ago', async () => {
  const { index, read } = sealed({ cacheBytes: 3_000 });
  for (const id of [1, 2, 3, 1, 4, 5, 1, 2]) await index.batches(id);
  expect(read).toEqual([1, 2, 3, 4, 5, 2]);
});

test('an index that is forgotten leaves its room to others', async () => {
  const { index, read } = sealed({ cacheBytes: 3_000 });
  for (const id of [1, 2, 3]) await index.batches(id);
  index.forget();
  for (const id of [4, 5, 6, 7, 4]) await index.batches(id);
  expect(read).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
