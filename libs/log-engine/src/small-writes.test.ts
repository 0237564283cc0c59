import { expect, test, vi } from 'vitest';
import { SmallWrites } from './small-writes.ts';

const SMALL = 1024;

test('small writes are done in place, larger ones are left to another thread', () => {
  const writes = new SmallWrites();
  expect([writes.inPlace(SMALL, () => 1), writes.inPlace(1024 * 1024, () => 1)]).toEqual([1, undefined]);
});

test('after a write that took long, the next ones are left to other threads for a while', () => {
  const writes = new SmallWrites();
  const now = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(5);
  writes.inPlace(SMALL, () => 1);
  now.mockRestore();
  let left = 0;
  while (writes.inPlace(SMALL, () => 1) === undefined) left++;
  expect(left).toBeGreaterThan(0);
});
