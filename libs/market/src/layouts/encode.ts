import { DAY_MS, newYorkOffsetMs } from '../calendar/new-york-time.ts';
import { isSymbol, splitSymbol } from '../symbols.ts';
import type { Offer, Quote, TickKind, Trade } from '../tick.ts';
import {
  OFFER_RECEIVERS_START,
  PARTY_LENGTH,
  QUOTE_LINE_LENGTH,
  RECEIVER_COUNT_MAX,
  TRADE_LINE_LENGTH,
} from './fields.ts';

const SPACE = 0x20;
const DIGIT_0 = 0x30;
/** Up to here whole-number division is an integer operation. */
const INT32_MAX = 0x7fff_ffff;

/** A value that does not fit its field: a programmer's error, or a feed that has outgrown the layout. */
export class TickEncodeError extends Error {
  constructor(field: string, value: unknown, limit: string) {
    super(`${field} ${String(value)} does not fit: ${limit}`);
    this.name = 'TickEncodeError';
  }
}

/** @returns a line of 71 bytes. @throws TickEncodeError */
export function encodeTrade(trade: Trade, sequence: number = trade.sequence): Uint8Array {
  const line = new Uint8Array(TRADE_LINE_LENGTH);
  writeTrade(line, 0, trade, sequence);
  return line;
}

/** @returns a line of 79 to 115 bytes. @throws TickEncodeError */
export function encodeOffer(offer: Offer, sequence: number = offer.sequence): Uint8Array {
  const line = new Uint8Array(OFFER_RECEIVERS_START + PARTY_LENGTH * offer.receivers.length);
  writeOffer(line, 0, offer, sequence);
  return line;
}

/** @returns a line of 86 bytes. @throws TickEncodeError */
export function encodeQuote(quote: Quote, sequence: number = quote.sequence): Uint8Array {
  const line = new Uint8Array(QUOTE_LINE_LENGTH);
  writeQuote(line, 0, quote, sequence);
  return line;
}

/** Writes a trade at `at` of a prepared buffer, for feeds that make many. @returns the byte after the line */
export function writeTrade(buffer: Uint8Array, at: number, trade: Trade, sequence: number = trade.sequence): number {
  writeTradeFields(buffer, at, trade, sequence);
  return at + TRADE_LINE_LENGTH;
}

/** Writes an offer at `at` of a prepared buffer. @returns the byte after the line */
export function writeOffer(buffer: Uint8Array, at: number, offer: Offer, sequence: number = offer.sequence): number {
  const { sender, receivers } = offer;
  if (receivers.length < 1 || receivers.length > RECEIVER_COUNT_MAX) {
    throw new TickEncodeError('receivers', receivers.length, `1 to ${RECEIVER_COUNT_MAX}`);
  }
  writeTradeFields(buffer, at, offer, sequence);
  writeParty(buffer, at + 71, sender);
  let next = at + OFFER_RECEIVERS_START;
  for (const receiver of receivers) {
    writeParty(buffer, next, receiver);
    next += PARTY_LENGTH;
  }
  return next;
}

/** Writes a quote at `at` of a prepared buffer. @returns the byte after the line */
export function writeQuote(buffer: Uint8Array, at: number, quote: Quote, sequence: number = quote.sequence): number {
  writeCommon(buffer, at, quote);
  writeDigits(buffer, at + 26, 11, quote.bidPriceE4, 'bid price');
  writeDigits(buffer, at + 37, 9, quote.bidSize, 'bid size');
  writeDigits(buffer, at + 46, 11, quote.askPriceE4, 'ask price');
  writeDigits(buffer, at + 57, 9, quote.askSize, 'ask size');
  writePadded(buffer, at + 66, 4, quote.condition, 'quote condition');
  writeDigits(buffer, at + 70, 16, sequence, 'sequence number');
  return at + QUOTE_LINE_LENGTH;
}

/** Room that the longest line of a kind needs. */
export function lineLengthMax(kind: TickKind): number {
  if (kind === 'trade') return TRADE_LINE_LENGTH;
  return kind === 'quote' ? QUOTE_LINE_LENGTH : OFFER_RECEIVERS_START + PARTY_LENGTH * RECEIVER_COUNT_MAX;
}

function writeTradeFields(buffer: Uint8Array, at: number, tick: Trade | Offer, sequence: number): void {
  if (tick.priceE4 === 0) throw new TickEncodeError('price', 0, 'above zero');
  writeCommon(buffer, at, tick);
  writePadded(buffer, at + 26, 4, tick.condition, 'sale condition');
  writeDigits(buffer, at + 30, 9, tick.size, 'volume');
  writeDigits(buffer, at + 39, 11, tick.priceE4, 'price');
  buffer[at + 50] = 0x4e; // N: not a stopped stock
  buffer[at + 51] = DIGIT_0; // 00: an original trade, not a correction
  buffer[at + 52] = DIGIT_0;
  writeDigits(buffer, at + 53, 16, sequence, 'sequence number');
  buffer[at + 69] = 0x43; // C
  buffer[at + 70] = SPACE;
}

function writeCommon(buffer: Uint8Array, at: number, tick: Trade | Quote | Offer): void {
  writeTimeOfDay(buffer, at, tick.eventTimeMs);
  const exchange = tick.exchange.charCodeAt(0);
  if (tick.exchange.length !== 1 || exchange <= SPACE || exchange > 0x7e) {
    throw new TickEncodeError('exchange', JSON.stringify(tick.exchange), 'one visible ASCII character');
  }
  buffer[at + 9] = exchange;
  const symbol = paddedSymbol(tick.symbol);
  for (let index = 0; index < symbol.length; index++) buffer[at + 10 + index] = symbol[index]!;
}

/** A day's ticks share their offset: it is asked for once per hour of event time at most. */
function writeTimeOfDay(buffer: Uint8Array, at: number, eventTimeMs: number): void {
  const wallMs = eventTimeMs + newYorkOffsetMs(eventTimeMs);
  const msOfDay = wallMs - Math.floor(wallMs / DAY_MS) * DAY_MS;
  const seconds = Math.floor(msOfDay / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const timeOfDay = hours * 10_000_000 + (minutes - hours * 60) * 100_000 + (seconds - minutes * 60) * 1000;
  writeDigits(buffer, at, 9, timeOfDay + (msOfDay - seconds * 1000), 'time');
}

const paddedSymbols = new Map<string, Uint8Array>();
const SYMBOL_CACHE_LIMIT = 100_000;

function paddedSymbol(symbol: string): Uint8Array {
  let padded = paddedSymbols.get(symbol);
  if (padded === undefined) {
    if (!isSymbol(symbol)) {
      throw new TickEncodeError(
        'symbol',
        JSON.stringify(symbol),
        'a root of 1 to 6 and a suffix of up to 10 characters',
      );
    }
    const { root, suffix } = splitSymbol(symbol);
    padded = new TextEncoder().encode(root.padEnd(6) + suffix.padEnd(10));
    if (paddedSymbols.size >= SYMBOL_CACHE_LIMIT) paddedSymbols.clear();
    paddedSymbols.set(symbol, padded);
  }
  return padded;
}

function writeParty(buffer: Uint8Array, at: number, party: string): void {
  if (!/^\d{4}$/.test(party)) throw new TickEncodeError('trader', JSON.stringify(party), '4 digits');
  for (let index = 0; index < PARTY_LENGTH; index++) buffer[at + index] = party.charCodeAt(index);
}

function writePadded(buffer: Uint8Array, at: number, width: number, text: string, field: string): void {
  if (text.length > width) throw new TickEncodeError(field, JSON.stringify(text), `at most ${width} characters`);
  for (let index = 0; index < width; index++) {
    const code = index < text.length ? text.charCodeAt(index) : SPACE;
    if (code < SPACE || code > 0x7e) throw new TickEncodeError(field, JSON.stringify(text), 'visible ASCII or spaces');
    buffer[at + index] = code;
  }
}

function writeDigits(buffer: Uint8Array, at: number, width: number, value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TickEncodeError(field, value, 'a whole number from 0');
  let rest = value;
  let index = at + width - 1;
  for (; index >= at && rest > INT32_MAX; index--) {
    const quotient = Math.floor(rest / 10);
    buffer[index] = DIGIT_0 + (rest - quotient * 10);
    rest = quotient;
  }
  for (; index >= at && rest > 0; index--) {
    const quotient = (rest / 10) | 0;
    buffer[index] = DIGIT_0 + (rest - quotient * 10);
    rest = quotient;
  }
  for (; index >= at; index--) buffer[index] = DIGIT_0;
  if (rest !== 0) throw new TickEncodeError(field, value, `at most ${width} digits`);
}
