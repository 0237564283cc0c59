import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVarint, readVarlong, VarintError, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

test('a varint comes back as it was and takes as many bytes as announced', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = Buffer.alloc(5);
      const end = writeVarint(bytes, 0, value);
      const cursor = { at: 0 };
      expect(readVarint(bytes, cursor)).toBe(value);
      expect(cursor.at).toBe(end);
      expect(varintSize(value)).toBe(end);
    }),
  );
});

test('a varlong holds every safe integer', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const bytes = Buffer.alloc(10);
      const end = writeVarlong(bytes, 0, value);
      const cursor = { at: 0 };
      expect(readVarlong(bytes, cursor)).toBe(value);
      expect(cursor.at).toBe(end);
      expect(varlongSize(value)).toBe(end);
    }),
  );
});

test.each([
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [63, '7e'],
  [-64, '7f'],
  [64, '8001'],
  [2147483647, 'feffffff0f'],
  [-2147483648, 'ffffffff0f'],
])('%i is written as the bytes %s', (value, hex) => {
  const bytes = Buffer.alloc(5);
  expect(bytes.subarray(0, writeVarint(bytes, 0, value)).toString('hex')).toBe(hex);
});

test('a number that the bytes cut off, or that never ends, is an error', () => {
  expect(() => readVarint(Buffer.from([0x80]), { at: 0 })).toThrow(VarintError);
  expect(() => readVarint(Buffer.alloc(6, 0x80), { at: 0 })).toThrow('longer than 5 bytes');
  expect(() => readVarlong(Buffer.alloc(3, 0x80), { at: 0 })).toThrow(VarintError);
  expect(() => readVarlong(Buffer.alloc(11, 0x80), { at: 0 })).toThrow('longer than 10 bytes');
});
