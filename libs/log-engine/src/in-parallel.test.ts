import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inParallel } from './in-parallel.ts';

test('results come in the order of the items, however long each took', async () => {
  const work = async (item: number): Promise<number> => {
    for (let turn = 10 - item; turn > 0; turn--) await setImmediate();
    return item * 2;
  };
  expect(await inParallel([1, 2, 3, 4, 5, 6, 7, 8, 9], work)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(await inParallel([], work)).toEqual([]);
});

test('a failure is thrown only when nothing is under way any more, and nothing is begun after it', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error('no');
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    ended.push(item);
  };
  await expect(inParallel([0, 1, 2, 3, 4, 5, 6, 7], work)).rejects.toThrow('no');
  expect(begun).toEqual([0, 1, 2, 3]);
  expect(ended).toEqual([0, 2, 3]);
});
