import { expect, test } from 'vitest';
import { BatchBuffers } from './batch-buffers.ts';

test('gives the memory of batches that are done with to the next ones', () => {
  const buffers = new BatchBuffers();
  const first = buffers.take(1_000);
  buffers.giveBack(first.subarray(0, 700));
  const second = buffers.take(900);
  expect(second.buffer).toBe(first.buffer);
  expect(second).toHaveLength(1_000);
});

test('gives no memory twice, and none that is too small', () => {
  const buffers = new BatchBuffers();
  const first = buffers.take(1_000);
  buffers.giveBack(first);
  expect(buffers.take(1_001)).toHaveLength(1_001);
  expect(buffers.take(1_000).buffer).not.toBe(first.buffer);
});

test('keeps four mebibytes at most', () => {
  const buffers = new BatchBuffers();
  const taken = Array.from({ length: 5 }, () => buffers.take(1024 * 1024));
  for (const each of taken) buffers.giveBack(each);
  const again = new Set(Array.from({ length: 5 }, () => buffers.take(1024 * 1024).buffer));
  expect(taken.filter((each) => again.has(each.buffer))).toHaveLength(4);
});
