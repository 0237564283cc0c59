import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberedBatch } from '../test/batches.ts';
import {
  FRAME_PROBE_BYTES,
  FRAME_TYPES,
  frameAppendTimeMs,
  frameHeaderIsValid,
  framePartitionId,
  framePayloadBytes,
  frameSizeBytes,
  frameType,
  readFrameText,
  TEXT_CRC_BYTES,
  writeFrameAround,
  writeTextFrameAround,
} from './frame.ts';
import { FRAME_HEADER } from './layout.ts';

const place = fc.record({
  type: fc.constant(FRAME_TYPES.batch),
  partitionId: fc.nat(),
  segmentNumber: fc.nat(),
  position: fc.nat(2 ** 28).map((eights) => eights * 8),
  appendTimeMs: fc.maxSafeNat(),
});

function batchFrame(framePlace: Parameters<typeof writeFrameAround>[3], label = 'x'): Buffer {
  const batch = numberedBatch(label);
  const bytes = Buffer.alloc(frameSizeBytes(batch.length), 0xff);
  batch.copy(bytes, FRAME_HEADER.sizeBytes);
  writeFrameAround(bytes, 0, batch.length, framePlace);
  return bytes;
}

test('a frame header gives back everything that was written into it', () => {
  fc.assert(
    fc.property(place, (framePlace) => {
      const bytes = batchFrame(framePlace);
      expect(frameHeaderIsValid(bytes, 0, framePlace.segmentNumber, framePlace.position)).toBe(true);
      expect(frameType(bytes, 0)).toBe(framePlace.type);
      expect(framePartitionId(bytes, 0)).toBe(framePlace.partitionId);
      expect(frameAppendTimeMs(bytes, 0)).toBe(framePlace.appendTimeMs);
      expect(framePayloadBytes(bytes, 0)).toBe(numberedBatch('x').length);
    }),
  );
});

test('a frame is valid only in its own segment and at its own position', () => {
  fc.assert(
    fc.property(place, fc.nat(), fc.nat(1000), (framePlace, otherSegment, otherEighths) => {
      fc.pre(otherSegment !== framePlace.segmentNumber && otherEighths * 8 !== framePlace.position);
      const bytes = batchFrame(framePlace);
      expect(frameHeaderIsValid(bytes, 0, otherSegment, framePlace.position)).toBe(false);
      expect(frameHeaderIsValid(bytes, 0, framePlace.segmentNumber, otherEighths * 8)).toBe(false);
    }),
  );
});

test('a flipped bit in a header, or in the part of the batch that its own CRC leaves out, is seen', () => {
  const framePlace = { type: FRAME_TYPES.batch, partitionId: 7, segmentNumber: 3, position: 64, appendTimeMs: 1 };
  const whole = batchFrame(framePlace);
  for (let bit = 0; bit < FRAME_PROBE_BYTES * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(frameHeaderIsValid(flipped, 0, 3, 64), `bit ${bit}`).toBe(false);
  }
});

test('zeros, as a crash may leave them behind, are no frame', () => {
  expect(frameHeaderIsValid(Buffer.alloc(64), 0, 0, 0)).toBe(false);
});

test('a frame ends on a multiple of 8 and its padding is zero', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (label) => {
      const bytes = batchFrame(
        { type: FRAME_TYPES.batch, partitionId: 0, segmentNumber: 1, position: 0, appendTimeMs: 0 },
        label,
      );
      expect(bytes.length % 8).toBe(0);
      const payloadEnd = FRAME_HEADER.sizeBytes + framePayloadBytes(bytes, 0);
      expect(bytes.subarray(payloadEnd).every((byte) => byte === 0)).toBe(true);
    }),
  );
});

test('the text of a control frame comes back, and not at all when a bit of it is flipped', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.nat(), (text, at) => {
      const payloadBytes = TEXT_CRC_BYTES + Buffer.byteLength(text);
      const bytes = Buffer.alloc(frameSizeBytes(payloadBytes));
      bytes.write(text, FRAME_HEADER.sizeBytes + TEXT_CRC_BYTES);
      const framePlace = { type: FRAME_TYPES.control, partitionId: 0, segmentNumber: 1, position: 64, appendTimeMs: 5 };
      writeTextFrameAround(bytes, 0, payloadBytes, framePlace);
      const payload = bytes.subarray(FRAME_HEADER.sizeBytes, FRAME_HEADER.sizeBytes + payloadBytes);
      expect(frameHeaderIsValid(bytes, 0, 1, 64)).toBe(true);
      expect(readFrameText(payload)).toBe(Buffer.from(text).toString());
      payload[at % payloadBytes]! ^= 0x10;
      expect(readFrameText(payload)).toBeUndefined();
    }),
  );
});
