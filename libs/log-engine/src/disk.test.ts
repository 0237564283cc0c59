import { expect, test } from 'vitest';
import { fileOf } from './disk.ts';

test('a write that the system takes only in part goes on behind that part', async () => {
  const written: Buffer[] = [];
  const positions: number[] = [];
  const file = fileOf({
    async writev(buffers: readonly Uint8Array[], position: number) {
      const all = Buffer.concat(buffers);
      const bytesWritten = Math.min(7, all.length);
      written.push(all.subarray(0, bytesWritten));
      positions.push(position);
      return { bytesWritten, buffers };
    },
  } as never);
  await file.write([Buffer.from('first '), Buffer.alloc(0), Buffer.from('second '), Buffer.from('third')], 100);
  expect(Buffer.concat(written).toString()).toBe('first second third');
  expect(positions).toEqual([100, 107, 114]);
});
