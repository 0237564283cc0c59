import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, spells, textOf } from './short-bytes.ts';

/** Few different ones, so that the same bytes come again and different ones meet in a slot. */
const fewTexts = fc.oneof(
  fc.string({ maxLength: 2 }),
  fc.string({ maxLength: 30, unit: 'grapheme' }),
  fc.constantFrom('', 'a', 'trade', 'quote', 'Ünï', '\ufffd'),
);

test('text and bytes come back as they are, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(fewTexts, { maxLength: 30 }), (texts) => {
      const whole = Buffer.from(texts.join(''));
      let start = 0;
      for (const text of texts) {
        const end = start + Buffer.byteLength(text);
        expect(textOf(whole, start, end)).toBe(whole.toString('utf8', start, end));
        expect(bytesOf(whole, start, end).equals(whole.subarray(start, end))).toBe(true);
        start = end;
      }
    }),
  );
});

test('bytes spell their own text and no other', () => {
  fc.assert(
    fc.property(fewTexts, fewTexts, fewTexts, (before, text, other) => {
      const bytes = Buffer.from(before + text + other);
      const start = Buffer.byteLength(before);
      const end = start + Buffer.byteLength(text);
      expect(spells(bytes, start, end, text)).toBe(true);
      expect(spells(bytes, start, end, other)).toBe(other === text);
      expect(spells(bytes, start, end, text + other)).toBe(other === '');
    }),
  );
});

test('short bytes outlive the memory that they came from', () => {
  const memory = Buffer.from('AAPL');
  const key = bytesOf(memory, 0, 4);
  memory.fill(0);
  expect(key.toString()).toBe('AAPL');
  expect(bytesOf(Buffer.from('AAPL'), 0, 4)).toBe(key);
});
