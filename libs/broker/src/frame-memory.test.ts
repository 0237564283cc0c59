import { expect, test } from 'vitest';
import { FrameMemory } from './frame-memory.ts';

const MIB = 1024 * 1024;

test('gives the memory of a large frame to the next one that fits, once', () => {
  const memory = new FrameMemory();
  const frame = Buffer.alloc(MIB).subarray(4, 300_000);
  memory.giveBack(frame);
  expect(memory.take(MIB + 1)).toBeUndefined();
  expect(memory.take(MIB)?.buffer).toBe(frame.buffer);
  expect(memory.take(MIB)).toBeUndefined();
});

test('keeps nothing of small frames, which may share what a socket gave with others', () => {
  const memory = new FrameMemory();
  memory.giveBack(Buffer.alloc(65_536).subarray(4));
  expect(memory.take(65_536)).toBeUndefined();
});

test('keeps sixteen mebibytes at most, and nothing of a frame that is larger than four', () => {
  const memory = new FrameMemory();
  memory.giveBack(Buffer.alloc(5 * MIB));
  for (let i = 0; i < 20; i++) memory.giveBack(Buffer.alloc(4 * MIB));
  const kept = Array.from({ length: 20 }, () => memory.take(4 * MIB)).filter((each) => each !== undefined);
  expect(kept).toHaveLength(4);
});
