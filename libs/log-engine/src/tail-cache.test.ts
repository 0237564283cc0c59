import { expect, test } from 'vitest';
import { SegmentTail, TailCache } from './tail-cache.ts';

const CHUNK_BYTES = 256 * 1024;

/** A tail whose cache keeps two chunks, with so many chunks filled with their number. */
function filled(chunks: number): { tail: SegmentTail; fill: (content: number) => Buffer } {
  const tail = new SegmentTail(new TailCache(2 * CHUNK_BYTES), 0);
  const fill = (content: number): Buffer => tail.reserve(CHUNK_BYTES).bytes.fill(content);
  for (let i = 0; i < chunks; i++) fill(i);
  return { tail, fill };
}

/** Writes what there is, and lets the cache drop what it does not need any more. */
function write(tail: SegmentTail): void {
  tail.takeUnwritten();
  tail.markWritten(tail.end);
}

test('memory that was written and that no reader saw is used again', () => {
  const { tail, fill } = filled(2);
  const memory = tail.takeUnwritten().buffers.map(({ buffer }) => buffer);
  tail.markWritten(tail.end);
  fill(2);
  expect(memory).toContain(fill(3).buffer);
});

test('a view that a reader got never changes, whatever is appended after it', () => {
  const { tail, fill } = filled(1);
  const view = tail.find(0, CHUNK_BYTES)!;
  for (let i = 1; i < 10; i++) {
    write(tail);
    fill(i);
  }
  expect(tail.find(0, CHUNK_BYTES)).toBeUndefined();
  expect(view.every((byte) => byte === 0)).toBe(true);
});

test('what is being written stays in memory, and as it is, until it is in the file', () => {
  const { tail, fill } = filled(1);
  const [underWrite] = tail.takeUnwritten().buffers;
  for (let i = 1; i < 10; i++) fill(i);
  expect(tail.find(0, CHUNK_BYTES)).toBeDefined();
  expect(underWrite!.every((byte) => byte === 0)).toBe(true);
});

test('what a failed journal gave up is dropped, but not used again: a write may still be under way', () => {
  const { tail, fill } = filled(1);
  const [underWrite] = tail.takeUnwritten().buffers;
  tail.giveUp();
  for (let i = 1; i < 10; i++) {
    fill(i);
    write(tail);
  }
  expect(tail.find(0, CHUNK_BYTES)).toBeUndefined();
  expect(underWrite!.every((byte) => byte === 0)).toBe(true);
});
