import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AMOUNT_E4_MAX } from '../money.ts';
import type { EnrichedTick } from './enriched-tick.ts';
import { defineSchema, SchemaError } from './event-schema.ts';
import { decodeEvent, enrichedTickSchema } from './registry.ts';

const amount = fc.integer({ min: -AMOUNT_E4_MAX, max: AMOUNT_E4_MAX });
const feature = fc.option(fc.double({ noNaN: true }), { nil: null });
const enrichedTick: fc.Arbitrary<EnrichedTick> = fc.record({
  kind: fc.constantFrom('trade', 'quote', 'offer'),
  symbol: fc.string(),
  eventTimeMs: amount,
  source: fc.string(),
  exchange: fc.string(),
  priceE4: amount,
  size: amount,
  side: fc.constantFrom('none', 'bid', 'ask'),
  bidPriceE4: amount,
  bidSize: amount,
  askPriceE4: amount,
  askSize: amount,
  volumeToday: amount,
  previousCloseE4: fc.option(amount, { nil: null }),
  changeBps: feature,
  averageVolume20: feature,
  relativeVolume: feature,
  vwap20E4: feature,
  vwapDeviation: feature,
  sizePercentile: feature,
});

test('an enriched tick is decoded as it was encoded, by the id in its header', () => {
  fc.assert(
    fc.property(enrichedTick, (tick) => {
      const bytes = enrichedTickSchema.encode(tick);
      expect({ ...(decodeEvent('enriched-tick/1', new Uint8Array(bytes)) as EnrichedTick) }).toEqual(tick);
    }),
  );
});

test('encoded bytes stay as they are while others are encoded, also those larger than any block', () => {
  const text = defineSchema<{ text: string }>('text', [
    { type: 'record', name: 'Text', fields: [{ name: 'text', type: 'string' }] },
  ]);
  const texts = Array.from({ length: 60 }, (_, index) => String.fromCharCode(65 + index).repeat(index * 1_000));
  const encoded = texts.map((each) => text.encode({ text: each }));
  expect(encoded.map((bytes) => text.decode(bytes).text)).toEqual(texts);
});

test('a value that does not fit is refused with the name of the field', () => {
  const broken = { kind: 'trade', symbol: 'BAC', eventTimeMs: 1.5 } as unknown as EnrichedTick;
  expect(() => enrichedTickSchema.encode(broken)).toThrow(SchemaError);
  expect(() => enrichedTickSchema.encode(broken)).toThrow('eventTimeMs');
});

test('an unknown schema, version or missing header is an error that names it and what is known', () => {
  expect(() => decodeEvent('bar/1', new Uint8Array())).toThrow('Unknown schema "bar/1"; known here: enriched-tick/1');
  expect(() => decodeEvent('enriched-tick/99', new Uint8Array())).toThrow('Unknown schema "enriched-tick/99"');
  expect(() => decodeEvent(undefined, new Uint8Array())).toThrow('Unknown schema ""');
});

test('bytes that are no such event are refused', () => {
  expect(() => decodeEvent('enriched-tick/1', Buffer.from('garbage'))).toThrow(SchemaError);
});

test('an older version is read as the newest, new fields with their defaults', () => {
  const version1 = { type: 'record', name: 'Bar', fields: [{ name: 'closeE4', type: 'int' }] };
  const version2 = {
    type: 'record',
    name: 'Bar',
    fields: [
      { name: 'closeE4', type: 'long' },
      { name: 'trades', type: ['null', 'long'], default: null },
    ],
  };
  const old = defineSchema<{ closeE4: number }>('bar', [version1]);
  const bar = defineSchema<{ closeE4: number; trades: number | null }>('bar', [version1, version2]);
  expect(bar.id).toBe('bar/2');
  expect({ ...bar.decode(old.encode({ closeE4: 5 }), 'bar/1') }).toEqual({ closeE4: 5, trades: null });
  expect({ ...bar.decode(bar.encode({ closeE4: 5, trades: 2 }), 'bar/2') }).toEqual({ closeE4: 5, trades: 2 });
});
