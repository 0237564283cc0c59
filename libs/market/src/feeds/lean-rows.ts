import { type NewYorkDay, newYorkDay } from '../calendar/new-york-time.ts';
import { printable, TickParseError } from '../layouts/tick-parse-error.ts';
import type { Quote, Trade } from '../tick.ts';
import { quoteConditionOfFlags, saleConditionOfFlags } from './lean-conditions.ts';

const COMMA = 0x2c;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const TRADE_COLUMNS = 6;
const QUOTE_COLUMNS = 8;
const MS_PER_DAY = 86_400_000;

/**
 * Reads rows of LEAN's tick CSVs in place:
 *
 *     trade: time, price, size, exchange, sale condition (hex), suspicious
 *     quote: time, bid price, bid size, ask price, ask size, exchange, quote condition (hex), suspicious
 *
 * Times are milliseconds since New York midnight and may carry a fraction, which is dropped. Prices are 1/10,000 USD.
 */
export class LeanRowReader {
  readonly #symbol: string;
  readonly #day: NewYorkDay;
  /** Where each column begins, and one past the end of the row. */
  readonly #cuts = new Int32Array(QUOTE_COLUMNS + 1);
  /** Conditions by their hexadecimal text: a day has a few dozen of them. */
  readonly #saleConditions = new Map<number, string>();
  readonly #quoteConditions = new Map<number, string>();

  constructor(symbol: string, date: string) {
    this.#symbol = symbol;
    this.#day = newYorkDay(date);
  }

  /** @param lineNumber becomes the sequence number. @throws TickParseError */
  trade(buffer: Uint8Array, start: number, end: number, lineNumber: number): Trade {
    this.#cut(buffer, start, end, TRADE_COLUMNS);
    const priceE4 = this.#whole(buffer, start, 1, 'price');
    if (priceE4 === 0) this.#fail(buffer, start, 1, 'price', 'a price above zero');
    return {
      kind: 'trade',
      symbol: this.#symbol,
      eventTimeMs: this.#time(buffer, start),
      exchange: this.#exchange(buffer, start, 3),
      priceE4,
      size: this.#whole(buffer, start, 2, 'size'),
      condition: this.#condition(buffer, start, 4, this.#saleConditions, saleConditionOfFlags),
      sequence: lineNumber,
    };
  }

  /** @param lineNumber becomes the sequence number. @throws TickParseError */
  quote(buffer: Uint8Array, start: number, end: number, lineNumber: number): Quote {
    this.#cut(buffer, start, end, QUOTE_COLUMNS);
    return {
      kind: 'quote',
      symbol: this.#symbol,
      eventTimeMs: this.#time(buffer, start),
      exchange: this.#exchange(buffer, start, 5),
      bidPriceE4: this.#whole(buffer, start, 1, 'bid price'),
      bidSize: this.#whole(buffer, start, 2, 'bid size'),
      askPriceE4: this.#whole(buffer, start, 3, 'ask price'),
      askSize: this.#whole(buffer, start, 4, 'ask size'),
      condition: this.#condition(buffer, start, 6, this.#quoteConditions, quoteConditionOfFlags),
      sequence: lineNumber,
    };
  }

  #cut(buffer: Uint8Array, start: number, end: number, columns: number): void {
    const cuts = this.#cuts;
    cuts[0] = start;
    let count = 1;
    for (let at = start; at < end; at++) {
      if (buffer[at] !== COMMA) continue;
      if (count < columns) cuts[count] = at + 1;
      count++;
    }
    cuts[columns] = end + 1;
    if (count !== columns) {
      throw new TickParseError('row', `0-${Math.max(0, end - start - 1)}`, `of ${count} columns`, `${columns} columns`);
    }
  }

  #time(buffer: Uint8Array, rowStart: number): number {
    const msOfDay = Math.floor(this.#decimal(buffer, rowStart, 0, 'time'));
    if (msOfDay >= MS_PER_DAY) this.#fail(buffer, rowStart, 0, 'time', `milliseconds below ${MS_PER_DAY}`);
    return this.#day.toUtcMs(msOfDay);
  }

  #whole(buffer: Uint8Array, rowStart: number, column: number, name: string): number {
    return Math.round(this.#decimal(buffer, rowStart, column, name));
  }

  /** Digits, perhaps with a point and more digits. */
  #decimal(buffer: Uint8Array, rowStart: number, column: number, name: string): number {
    const start = this.#cuts[column]!;
    const end = this.#cuts[column + 1]! - 1;
    let value = 0;
    let scale = 0;
    for (let at = start; at < end; at++) {
      const digit = buffer[at]! - DIGIT_0;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        scale *= 10;
      } else if (buffer[at] === POINT && scale === 0 && at > start) {
        scale = 1;
      } else {
        this.#fail(buffer, rowStart, column, name, 'a number of digits only');
      }
    }
    if (start === end || !Number.isSafeInteger(value))
      this.#fail(buffer, rowStart, column, name, 'a number of up to 15 digits');
    return scale > 1 ? value / scale : value;
  }

  #exchange(buffer: Uint8Array, rowStart: number, column: number): string {
    const start = this.#cuts[column]!;
    const byte = buffer[start]!;
    if (this.#cuts[column + 1]! - 1 !== start + 1 || byte <= 0x20 || byte > 0x7e) {
      this.#fail(buffer, rowStart, column, 'exchange', 'one visible character');
    }
    return String.fromCharCode(byte);
  }

  #condition(
    buffer: Uint8Array,
    rowStart: number,
    column: number,
    cache: Map<number, string>,
    toText: (flags: number) => string,
  ): string {
    let flags = 0;
    for (let at = this.#cuts[column]!; at < this.#cuts[column + 1]! - 1; at++) {
      const digit = hexDigit(buffer[at]!);
      if (digit < 0 || flags > 0xfff_ffff)
        this.#fail(buffer, rowStart, column, 'condition', 'up to 8 hexadecimal digits');
      flags = flags * 16 + digit;
    }
    let text = cache.get(flags);
    if (text === undefined) {
      text = toText(flags);
      cache.set(flags, text);
    }
    return text;
  }

  #fail(buffer: Uint8Array, rowStart: number, column: number, name: string, expected: string): never {
    const start = this.#cuts[column]!;
    const end = this.#cuts[column + 1]! - 1;
    const bytes = start === end ? `${start - rowStart}` : `${start - rowStart}-${end - 1 - rowStart}`;
    throw new TickParseError(name, bytes, `"${printable(buffer.subarray(start, end))}"`, expected);
  }
}

function hexDigit(byte: number): number {
  if (byte >= DIGIT_0 && byte <= 0x39) return byte - DIGIT_0;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
