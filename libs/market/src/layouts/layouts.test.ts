import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newYorkToUtcMs } from '../calendar/new-york-time.ts';
import type { Offer, Quote, Tick, TickKind, Trade } from '../tick.ts';
import { checkTradeLine, msOfDayAt, parseTick, symbolAt } from './decode.ts';
import { encodeOffer, encodeQuote, encodeTrade, TickEncodeError } from './encode.ts';
import { TickParseError } from './tick-parse-error.ts';

const OPEN_MS = newYorkToUtcMs('2013-10-08', 34_200_123);

const trade: Trade = {
  kind: 'trade',
  symbol: 'BRK.A',
  eventTimeMs: OPEN_MS,
  exchange: 'N',
  priceE4: 1_745_000_000,
  size: 543,
  condition: '@F',
  sequence: 42,
};
const quote: Quote = {
  kind: 'quote',
  symbol: 'BAC',
  eventTimeMs: OPEN_MS,
  exchange: 'P',
  bidPriceE4: 138_000,
  bidSize: 900,
  askPriceE4: 0,
  askSize: 0,
  condition: 'R',
  sequence: 7,
};
const offer: Offer = { ...trade, kind: 'offer', sender: '0042', receivers: ['0001', '9999', '0001'] };

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const bytes = (line: string) => Buffer.from(line, 'latin1');

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const symbolArbitrary = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 6 }),
    fc.string({ unit: fc.constantFrom(...letters), maxLength: 10 }),
  )
  .map(([root, suffix]) => (suffix === '' ? root : `${root}.${suffix}`));
const common = {
  symbol: symbolArbitrary,
  eventTimeMs: fc.integer({ min: newYorkToUtcMs('1998-01-01', 0), max: newYorkToUtcMs('2030-12-31', 0) }),
  exchange: fc.constantFrom(...letters, '?'),
  condition: fc.string({ unit: fc.constantFrom('@', 'F', 'T', ' ', 'W'), maxLength: 4 }).map((each) => each.trimEnd()),
  sequence: fc.maxSafeNat(),
};
const priceE4 = fc.integer({ min: 1, max: 99_999_999_999 });
const size = fc.integer({ min: 0, max: 999_999_999 });
const sidePrice = fc.integer({ min: 0, max: 99_999_999_999 });
const trader = fc.integer({ min: 0, max: 9999 }).map((number) => String(number).padStart(4, '0'));
const tradeArbitrary: fc.Arbitrary<Trade> = fc.record({ kind: fc.constant('trade'), ...common, priceE4, size });
const offerArbitrary: fc.Arbitrary<Offer> = fc.record({
  kind: fc.constant('offer'),
  ...common,
  priceE4,
  size,
  sender: trader,
  receivers: fc.array(trader, { minLength: 1, maxLength: 10 }),
});
const quoteArbitrary: fc.Arbitrary<Quote> = fc.record({
  kind: fc.constant('quote'),
  ...common,
  bidPriceE4: sidePrice,
  bidSize: size,
  askPriceE4: sidePrice,
  askSize: size,
});

function encode(tick: Tick): Uint8Array {
  if (tick.kind === 'trade') return encodeTrade(tick);
  return tick.kind === 'quote' ? encodeQuote(tick) : encodeOffer(tick);
}

test('a trade is written byte for byte as the Daily Trades layout says', () => {
  expect(text(encodeTrade(trade))).toBe('093000123NBRK   A         @F  00000054301745000000N000000000000000042C ');
});

test('an offer is a trade line with its sender and receivers behind it', () => {
  expect(text(encodeOffer(offer))).toBe(`${text(encodeTrade(trade))}0042000199990001`);
});

test('a quote is written byte for byte as docs/formats says', () => {
  expect(text(encodeQuote(quote))).toBe(
    '093000123PBAC             0000013800000000090000000000000000000000R   0000000000000007',
  );
});

test('whatever is encoded is decoded to the same tick', () => {
  fc.assert(
    fc.property(fc.oneof(tradeArbitrary, offerArbitrary, quoteArbitrary), (tick) => {
      expect(parseTick(tick.kind, encode(tick), tick.eventTimeMs)).toEqual(tick);
    }),
  );
});

test('the feed check accepts every trade and offer, and reads kind, symbol and time in place', () => {
  fc.assert(
    fc.property(fc.oneof(tradeArbitrary, offerArbitrary), fc.nat(50), (tick, before) => {
      const line = encode(tick);
      const buffer = Buffer.concat([Buffer.alloc(before), line, Buffer.from('\nnext')]);
      expect(checkTradeLine(buffer, before, before + line.length)).toBe(tick.kind);
      expect(symbolAt(buffer, before)).toBe(tick.symbol);
      const wallClock = text(line.subarray(0, 9));
      expect(msOfDayAt(buffer, before)).toBe(
        Number(wallClock.slice(0, 2)) * 3_600_000 + Number(wallClock.slice(2, 4)) * 60_000 + Number(wallClock.slice(4)),
      );
    }),
  );
});

test('the feed check and parseTick accept and refuse the same damaged lines, for the same reason', () => {
  const damaged = fc
    .tuple(fc.oneof(tradeArbitrary, offerArbitrary), fc.nat(114), fc.integer({ min: 0, max: 255 }), fc.nat(115))
    .map(([tick, at, byte, length]) => {
      const line = Buffer.from(encode(tick));
      line[at % line.length] = byte;
      return length < 40 ? line.subarray(0, length) : line;
    });
  fc.assert(
    fc.property(damaged, (line) => {
      const kind: TickKind = line.length === 71 ? 'trade' : 'offer';
      const checked = outcome(() => checkTradeLine(line, 0, line.length));
      const parsed = outcome(() => parseTick(kind, line, 0).kind);
      expect(checked).toEqual(parsed);
    }),
  );
});

describe('a malformed line is refused with field, bytes and what was expected', () => {
  const good = text(encodeTrade(trade));
  const goodOffer = text(encodeOffer(offer));
  const changed = (line: string, at: number, to: string) => line.slice(0, at) + to + line.slice(at + to.length);
  const cases: [string, string, string, string][] = [
    ['a short line', 'short', 'line', '5 bytes long'],
    ['an empty line', '', 'line', '0 bytes long'],
    [
      'a price with a letter',
      changed(good, 45, 'x'),
      'price',
      'price (bytes 39-49) is "017450x0000", expected 11 digits',
    ],
    ['a price of zero', changed(good, 39, '00000000000'), 'price', 'above zero'],
    ['a volume with a space', changed(good, 30, ' '), 'volume', 'bytes 30-38'],
    ['a time of no day', changed(good, 0, '24'), 'time', 'HHMMSSmmm'],
    ['a time with 60 minutes', changed(good, 2, '60'), 'time', 'HHMMSSmmm'],
    ['no exchange', changed(good, 9, ' '), 'exchange', 'bytes 9-9'],
    ['no symbol', changed(good, 10, '      '), 'symbol root', 'left-aligned'],
    ['a symbol with a gap', changed(good, 10, 'A B'), 'symbol root', 'padded'],
    ['a byte beyond ASCII', changed(good, 27, '\xe9'), 'sale condition', '\\xE9'],
    ['a sequence too large', changed(good, 53, '9999999999999999'), 'sequence number', '9007199254740991'],
    ['a sender without receivers', `${good}0042`, 'line', '75 bytes long'],
    ['half a receiver', `${goodOffer}00`, 'line', '89 bytes long'],
    ['eleven receivers', `${good}0042${'0001'.repeat(11)}`, 'line', '119 bytes long'],
    ['a receiver that is no number', changed(goodOffer, 79, '99x9'), 'receiver', 'receiver (bytes 79-82)'],
    ['a sender that is no number', changed(goodOffer, 71, 'AB'), 'sender', 'bytes 71-74'],
  ];
  test.each(cases)('%s', (_, line, field, message) => {
    const error = errorOf(() => checkTradeLine(bytes(line), 0, line.length));
    expect(error).toBeInstanceOf(TickParseError);
    expect((error as TickParseError).field).toBe(field);
    expect((error as TickParseError).message).toContain(message);
  });

  test('a quote of the wrong length or with a letter in a price', () => {
    const line = text(encodeQuote(quote));
    expect(() => parseTick('quote', bytes(line.slice(1)), 0)).toThrow('85 bytes long');
    expect(() => parseTick('quote', bytes(changed(line, 46, 'x')), 0)).toThrow('ask price (bytes 46-56)');
  });

  test('a kind that nobody knows', () => {
    expect(() => parseTick('bar' as TickKind, bytes(good), 0)).toThrow('trade, quote or offer');
  });
});

test('values that do not fit their field are refused by name instead of cut', () => {
  expect(() => encodeTrade({ ...trade, priceE4: 100_000_000_000 })).toThrow(TickEncodeError);
  expect(() => encodeTrade({ ...trade, priceE4: 0 })).toThrow('above zero');
  expect(() => encodeTrade({ ...trade, size: -1 })).toThrow('volume -1');
  expect(() => encodeTrade({ ...trade, size: 1.5 })).toThrow('volume 1.5');
  expect(() => encodeTrade({ ...trade, symbol: 'TOOLONG' })).toThrow('TOOLONG');
  expect(() => encodeTrade({ ...trade, condition: '@FTIX' })).toThrow('@FTIX');
  expect(() => encodeTrade({ ...trade, exchange: '' })).toThrow('exchange');
  expect(() => encodeOffer({ ...offer, receivers: [] })).toThrow('receivers 0');
  expect(() => encodeOffer({ ...offer, sender: '42' })).toThrow('trader');
});

function outcome(run: () => string): string {
  const error = errorOf(run);
  if (error === undefined) return run();
  expect(error).toBeInstanceOf(TickParseError);
  return (error as TickParseError).message.replace(/expected .*$/, '');
}

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
