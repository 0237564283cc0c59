import { joinSymbol } from '../symbols.ts';
import type { Offer, Quote, Tick, TickKind, Trade } from '../tick.ts';
import {
  type Field,
  OFFER_LINE_LENGTH_MAX,
  OFFER_RECEIVERS_START,
  offerFields,
  PARTY_LENGTH,
  QUOTE_LINE_LENGTH,
  quoteFields,
  TRADE_LINE_LENGTH,
  tradeFields,
} from './fields.ts';
import { fieldError, lengthError, TickParseError } from './tick-parse-error.ts';

const SPACE = 0x20;
const FIRST_VISIBLE = 0x21;
const LAST_VISIBLE = 0x7e;
const DIGIT_0 = 0x30;
const SYMBOL_BYTES = 16;
/** Fields that are only checked for being printable, taken together. */
const indicators: Field = { start: 50, end: 53, content: '' };
const sourceAndFacility: Field = { start: 69, end: 71, content: '' };

/**
 * Decodes a line of `market.ticks`.
 * @param line without its line end
 * @param timestampMs the record's timestamp: event time in UTC milliseconds; the line itself has no date
 * @throws TickParseError naming field, bytes and what was expected
 */
export function parseTick(kind: TickKind, line: Uint8Array, timestampMs: number): Tick {
  switch (kind) {
    case 'trade':
      return parseTrade(line, timestampMs);
    case 'quote':
      return parseQuote(line, timestampMs);
    case 'offer':
      return parseOffer(line, timestampMs);
    default:
      throw new TickParseError('kind', 'of the header', `"${kind as string}"`, 'trade, quote or offer');
  }
}

function parseTrade(line: Uint8Array, eventTimeMs: number): Trade {
  if (line.length !== TRADE_LINE_LENGTH) throw lengthError(line.length, `${TRADE_LINE_LENGTH} for a trade`);
  checkTradeFields(line, 0);
  return {
    kind: 'trade',
    symbol: symbolAt(line, 0),
    eventTimeMs,
    exchange: String.fromCharCode(line[9]!),
    priceE4: digitsAt(line, 39, 50),
    size: digitsAt(line, 30, 39),
    condition: textAt(line, 26, 30),
    sequence: digitsAt(line, 53, 69),
  };
}

function parseOffer(line: Uint8Array, eventTimeMs: number): Offer {
  checkOfferLength(line.length);
  checkTradeFields(line, 0);
  checkParties(line, 0, line.length);
  const receivers: string[] = [];
  for (let at = OFFER_RECEIVERS_START; at < line.length; at += PARTY_LENGTH) {
    receivers.push(textAt(line, at, at + PARTY_LENGTH));
  }
  return {
    kind: 'offer',
    symbol: symbolAt(line, 0),
    eventTimeMs,
    exchange: String.fromCharCode(line[9]!),
    priceE4: digitsAt(line, 39, 50),
    size: digitsAt(line, 30, 39),
    condition: textAt(line, 26, 30),
    sequence: digitsAt(line, 53, 69),
    sender: textAt(line, 71, 75),
    receivers,
  };
}

function parseQuote(line: Uint8Array, eventTimeMs: number): Quote {
  if (line.length !== QUOTE_LINE_LENGTH) throw lengthError(line.length, `${QUOTE_LINE_LENGTH} for a quote`);
  checkCommonFields(line, 0);
  checkDigits(line, 0, 'bid price', quoteFields.bidPrice);
  checkDigits(line, 0, 'bid size', quoteFields.bidSize);
  checkDigits(line, 0, 'ask price', quoteFields.askPrice);
  checkDigits(line, 0, 'ask size', quoteFields.askSize);
  checkPrintable(line, 0, 'quote condition', quoteFields.condition);
  checkSequence(line, 0, quoteFields.sequence);
  return {
    kind: 'quote',
    symbol: symbolAt(line, 0),
    eventTimeMs,
    exchange: String.fromCharCode(line[9]!),
    bidPriceE4: digitsAt(line, 26, 37),
    bidSize: digitsAt(line, 37, 46),
    askPriceE4: digitsAt(line, 46, 57),
    askSize: digitsAt(line, 57, 66),
    condition: textAt(line, 66, 70),
    sequence: digitsAt(line, 70, 86),
  };
}

/**
 * Checks a Daily Trades line in place and tells what it is: an offer when there is a sender behind byte 70, a trade
 * otherwise. The feed's hot path: it accepts exactly what `parseTick` accepts, and allocates nothing.
 * @throws TickParseError
 */
export function checkTradeLine(buffer: Uint8Array, start: number, end: number): 'trade' | 'offer' {
  const length = end - start;
  if (length === TRADE_LINE_LENGTH) {
    checkTradeFields(buffer, start);
    return 'trade';
  }
  checkOfferLength(length);
  checkTradeFields(buffer, start);
  checkParties(buffer, start, end);
  return 'offer';
}

/** Milliseconds since New York midnight of a checked line that begins at `start`. */
export function msOfDayAt(buffer: Uint8Array, start: number): number {
  const hours = digitsAt(buffer, start, start + 2);
  const minutes = digitsAt(buffer, start + 2, start + 4);
  return (hours * 60 + minutes) * 60_000 + digitsAt(buffer, start + 4, start + 9);
}

/** Feeds name few symbols often: each is made into a string once, and found again by its 16 bytes. */
interface KnownSymbol {
  padded: Uint8Array;
  symbol: string;
}
const KNOWN_SYMBOL_SLOTS = 4096;
const knownSymbols: (KnownSymbol | undefined)[] = new Array(KNOWN_SYMBOL_SLOTS).fill(undefined);

/** The symbol of a checked line that begins at `start`. */
export function symbolAt(buffer: Uint8Array, start: number): string {
  const from = start + tradeFields.symbolRoot.start;
  let hash = 0;
  for (let at = from; at < from + SYMBOL_BYTES; at++) hash = (Math.imul(hash, 31) + buffer[at]!) | 0;
  const slot = hash & (KNOWN_SYMBOL_SLOTS - 1);
  const known = knownSymbols[slot];
  if (known !== undefined && isSame(known.padded, buffer, from)) return known.symbol;

  const padded = buffer.slice(from, from + SYMBOL_BYTES);
  const symbol = joinSymbol(textAt(padded, 0, 6), textAt(padded, 6, SYMBOL_BYTES));
  knownSymbols[slot] = { padded, symbol };
  return symbol;
}

function isSame(padded: Uint8Array, buffer: Uint8Array, from: number): boolean {
  for (let index = 0; index < SYMBOL_BYTES; index++) if (padded[index] !== buffer[from + index]) return false;
  return true;
}

function checkTradeFields(buffer: Uint8Array, start: number): void {
  checkCommonFields(buffer, start);
  checkPrintable(buffer, start, 'sale condition', tradeFields.condition);
  checkDigits(buffer, start, 'volume', tradeFields.volume);
  checkDigits(buffer, start, 'price', tradeFields.price);
  if (digitsAt(buffer, start + 39, start + 50) === 0) {
    throw fieldError(buffer, start, 'price', tradeFields.price, 'a price above zero');
  }
  checkPrintable(buffer, start, 'indicators', indicators);
  checkSequence(buffer, start, tradeFields.sequence);
  checkPrintable(buffer, start, 'source and reporting facility', sourceAndFacility);
}

function checkCommonFields(buffer: Uint8Array, start: number): void {
  checkDigits(buffer, start, 'time', tradeFields.time);
  if (
    digitsAt(buffer, start, start + 2) > 23 ||
    digitsAt(buffer, start + 2, start + 4) > 59 ||
    digitsAt(buffer, start + 4, start + 6) > 59
  ) {
    throw fieldError(buffer, start, 'time', tradeFields.time, 'HHMMSSmmm from 000000000 to 235959999');
  }
  if (!isVisible(buffer[start + 9]!)) {
    throw fieldError(buffer, start, 'exchange', tradeFields.exchange, 'one visible character');
  }
  if (!isVisible(buffer[start + 10]!)) {
    throw fieldError(buffer, start, 'symbol root', tradeFields.symbolRoot, 'a symbol, left-aligned');
  }
  checkPadded(buffer, start, 'symbol root', tradeFields.symbolRoot);
  checkPadded(buffer, start, 'symbol suffix', tradeFields.symbolSuffix);
}

function checkOfferLength(length: number): void {
  const receiverBytes = length - OFFER_RECEIVERS_START;
  if (length > OFFER_LINE_LENGTH_MAX || receiverBytes < PARTY_LENGTH || receiverBytes % PARTY_LENGTH !== 0) {
    throw lengthError(length, `${TRADE_LINE_LENGTH}, or 75 and 4 for each of 1 to 10 receivers`);
  }
}

function checkParties(buffer: Uint8Array, start: number, end: number): void {
  checkDigits(buffer, start, 'sender', offerFields.sender);
  if (areDigits(buffer, start + OFFER_RECEIVERS_START, end)) return;
  for (let at = OFFER_RECEIVERS_START; at < end - start; at += PARTY_LENGTH) {
    checkDigits(buffer, start, 'receiver', { start: at, end: at + PARTY_LENGTH, content: '' });
  }
}

/** Sixteen digits can name more than a JavaScript number holds exactly. */
function checkSequence(buffer: Uint8Array, start: number, field: Field): void {
  checkDigits(buffer, start, 'sequence number', field);
  if (!Number.isSafeInteger(digitsAt(buffer, start + field.start, start + field.end))) {
    throw fieldError(buffer, start, 'sequence number', field, `at most ${Number.MAX_SAFE_INTEGER}`);
  }
}

function checkDigits(buffer: Uint8Array, start: number, name: string, field: Field): void {
  if (!areDigits(buffer, start + field.start, start + field.end)) {
    throw fieldError(buffer, start, name, field, `${field.end - field.start} digits`);
  }
}

function checkPrintable(buffer: Uint8Array, start: number, name: string, field: Field): void {
  for (let at = start + field.start; at < start + field.end; at++) {
    const byte = buffer[at]!;
    if (byte < SPACE || byte > LAST_VISIBLE) {
      throw fieldError(buffer, start, name, field, 'visible ASCII or spaces');
    }
  }
}

/** Visible characters, then spaces only. */
function checkPadded(buffer: Uint8Array, start: number, name: string, field: Field): void {
  let padding = false;
  for (let at = start + field.start; at < start + field.end; at++) {
    const byte = buffer[at]!;
    if (byte === SPACE) padding = true;
    else if (padding || !isVisible(byte)) {
      throw fieldError(buffer, start, name, field, 'visible ASCII padded with spaces on the right');
    }
  }
}

function isVisible(byte: number): boolean {
  return byte >= FIRST_VISIBLE && byte <= LAST_VISIBLE;
}

function areDigits(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const digit = buffer[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}

function digitsAt(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (buffer[at]! - DIGIT_0);
  return value;
}

function textAt(buffer: Uint8Array, start: number, end: number): string {
  let last = end;
  while (last > start && buffer[last - 1] === SPACE) last--;
  return textAtUntrimmed(buffer, start, last);
}

function textAtUntrimmed(buffer: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(buffer[at]!);
  return text;
}
