import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Of lengths on both sides of where bytes begin to be passed on by reference. */
const lengths = fc.oneof({ weight: 19, arbitrary: fc.nat(1_500) }, { weight: 1, arbitrary: fc.nat(20_000) });
const someBytes = fc.tuple(lengths, fc.nat(255)).map(([length, byte]) => Buffer.alloc(length, byte));

const field = fc.oneof(
  fc.record({ kind: fc.constant('int16' as const), value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.record({ kind: fc.constant('int32' as const), value: fc.integer() }),
  fc.record({ kind: fc.constant('int64' as const), value: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n) }),
  fc.record({ kind: fc.constant('uvarint' as const), value: fc.nat(2 ** 31 - 1) }),
  fc.record({ kind: fc.constant('bytes' as const), value: someBytes }),
);

test('what is written over many buffers is read back', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 50, maxLength: 400 }), (fields) => {
      const writer = new Writer();
      for (const { kind, value } of fields) writer[kind](value as never);
      const written = Buffer.concat(writer.finish());
      expect(writer.length).toBe(written.length);
      const reader = new Reader(written);
      for (const { kind, value } of fields) {
        if (kind === 'bytes') expect(value.equals(reader.view(value.length))).toBe(true);
        else expect(reader[kind]()).toBe(value);
      }
      reader.expectEnd();
    }),
  );
});
