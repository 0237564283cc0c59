import { expect, test } from 'vitest';
import { writeAll } from './disk.ts';

test('a write that the system takes only in part goes on behind that part', async () => {
  const written: Buffer[] = [];
  const positions: number[] = [];
  const buffers = [Buffer.from('first '), Buffer.alloc(0), Buffer.from('second '), Buffer.from('third')];
  await writeAll(buffers, 100, async (left, position) => {
    const taken = Buffer.concat(left).subarray(0, 7);
    written.push(taken);
    positions.push(position);
    return taken.length;
  });
  expect(Buffer.concat(written).toString()).toBe('first second third');
  expect(positions).toEqual([100, 107, 114]);
});
