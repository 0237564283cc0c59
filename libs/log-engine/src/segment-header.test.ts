import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FORMAT_VERSION, SEGMENT_HEADER } from './layout.ts';
import { readSegmentHeader, writeSegmentHeader } from './segment-header.ts';

test('a segment header gives back the identity that was written', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.nat(),
      fc.maxSafeInteger(),
      fc.option(
        fc.record({
          generation: fc.integer({ min: 1, max: 99 }),
          carriesFrom: fc.nat(),
          appendedUntilMs: fc.maxSafeInteger(),
        }),
        { nil: undefined },
      ),
      (id, segmentNumber, createdAtMs, side) => {
        const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes, 0xff);
        const identity = { volumeId: Buffer.from(id), segmentNumber, createdAtMs, side };
        writeSegmentHeader(bytes, identity);
        expect(readSegmentHeader(bytes, 'x')).toMatchObject(identity);
      },
    ),
  );
});

test('a segment header with any bit flipped is not taken for one', () => {
  const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
  writeSegmentHeader(bytes, { volumeId: Buffer.alloc(16, 1), segmentNumber: 1, createdAtMs: 0 });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(readSegmentHeader(flipped, 'x'), `bit ${bit}`).toBeUndefined();
  }
});

test('a newer format is refused by name and version', () => {
  const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
  writeSegmentHeader(bytes, { volumeId: Buffer.alloc(16, 1), segmentNumber: 1, createdAtMs: 0 });
  bytes.writeUInt32LE(FORMAT_VERSION + 1, SEGMENT_HEADER.at.formatVersion);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, SEGMENT_HEADER.at.crc)), SEGMENT_HEADER.at.crc);
  expect(() => readSegmentHeader(bytes, 'some/0000000001.segment')).toThrow(
    `some/0000000001.segment has journal format ${FORMAT_VERSION + 1}; this version reads up to ${FORMAT_VERSION}`,
  );
});
