import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameSplitter } from './frames.ts';

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

test('frames come out whole and in order however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      fc.boolean(),
      (bodies, cuts, chunksAreReused) => {
        const stream = Buffer.concat(bodies.map(framed));
        const splitter = new FrameSplitter(50, { chunksAreReused });
        const frames: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const next = at + cuts[i % cuts.length]!;
          const chunk = Buffer.from(stream.subarray(at, next));
          frames.push(...splitter.push(chunk));
          if (chunksAreReused) chunk.fill(0);
          at = next;
        }
        expect(frames.map((frame) => [...frame])).toEqual(bodies.map((body) => [...body]));
        expect(splitter.bufferedBytes).toBe(0);
      },
    ),
  );
});

test('a frame of megabytes is put together from many chunks', () => {
  const body = Buffer.alloc(3_000_000, 'tickfold');
  const stream = framed(body);
  const splitter = new FrameSplitter(body.length);
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 65_536) frames.push(...splitter.push(stream.subarray(at, at + 65_536)));
  expect(frames).toHaveLength(1);
  expect(frames[0]!.equals(body)).toBe(true);
});

test('a frame is put into memory that is there already', () => {
  const stream = framed(Buffer.alloc(100, 'tickfold'));
  const memory = Buffer.alloc(1_000);
  const splitter = new FrameSplitter(100, { spareMemory: (bytes) => (bytes <= memory.length ? memory : undefined) });
  const frames = [...splitter.push(stream.subarray(0, 50)), ...splitter.push(stream.subarray(50))];
  expect(frames).toEqual([Buffer.alloc(100, 'tickfold')]);
  expect(frames[0]!.buffer).toBe(memory.buffer);
});

test('a whole frame inside one chunk is a view of it', () => {
  const chunk = framed(Buffer.from('body'));
  const [frame] = [...new FrameSplitter(10).push(chunk)];
  expect(frame!.buffer).toBe(chunk.buffer);
});

test.each([
  [-1, 'a frame of -1 bytes'],
  [11, 'a frame of 11 bytes, more than 10'],
  [2_147_483_647, 'more than 10'],
])(
  'a frame that announces %i bytes is refused when its length is there, also one byte at a time',
  (length, message) => {
    const stream = Buffer.alloc(4);
    stream.writeInt32BE(length, 0);
    expect(() => [...new FrameSplitter(10).push(stream)]).toThrow(message);
    const splitter = new FrameSplitter(10);
    expect(() => {
      for (const byte of stream) [...splitter.push(Buffer.of(byte))];
    }).toThrow(message);
  },
);
