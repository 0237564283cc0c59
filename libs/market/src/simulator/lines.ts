import { OFFER, QUOTE, type TickStream, TRADE } from './tick-stream.ts';
import { OFF_EXCHANGE } from './trade-flow.ts';

const ZERO = 48;
const SPACE = 32;

/** Bytes of the longest line: an offer with ten receivers. */
export const LONGEST_LINE = 115;

/**
 * Writes the stream's current tick as a fixed-width line and returns the position after it. Digits are computed and
 * stored one by one: no strings are made.
 */
export class LineWriter {
  /** Root and suffix, 16 bytes a symbol, padded. */
  readonly #symbols: Uint8Array;

  constructor(symbols: readonly string[]) {
    this.#symbols = new TextEncoder().encode(symbols.map(paddedSymbol).join(''));
  }

  write(target: Uint8Array, start: number, tick: TickStream, sequence: number): number {
    writeTime(target, start, tick.localMs);
    target[start + 9] = tick.exchange;
    const from = tick.symbolIndex * 16;
    for (let byte = 0; byte < 16; byte++) target[start + 10 + byte] = this.#symbols[from + byte]!;
    target.fill(SPACE, start + 26, start + 30);
    if (tick.kind === QUOTE) return writeQuote(target, start, tick, sequence);
    const end = writeTrade(target, start, tick, sequence);
    return tick.kind === OFFER ? writeTraders(target, end, tick) : end;
  }
}

function writeTrade(target: Uint8Array, start: number, tick: TickStream, sequence: number): number {
  if (tick.kind === TRADE) target[start + 26] = 64; // '@', a regular sale
  if (tick.size < 100) target[start + 29] = 73; // 'I', an odd lot
  writeDigits(target, start + 30, 9, tick.size);
  writeDigits(target, start + 39, 11, tick.priceE4);
  target[start + 50] = 78; // 'N', no stop stock
  writeDigits(target, start + 51, 2, 0);
  writeDigits(target, start + 53, 16, sequence);
  target[start + 69] = 67; // 'C'
  target[start + 70] = tick.exchange === OFF_EXCHANGE ? 84 : SPACE; // 'T'
  return start + 71;
}

function writeTraders(target: Uint8Array, start: number, tick: TickStream): number {
  writeDigits(target, start, 4, tick.sender);
  for (let index = 0; index < tick.receiverCount; index++) {
    writeDigits(target, start + 4 + 4 * index, 4, tick.receivers[index]!);
  }
  return start + 4 + 4 * tick.receiverCount;
}

function writeQuote(target: Uint8Array, start: number, tick: TickStream, sequence: number): number {
  writeDigits(target, start + 30, 9, tick.isBid ? tick.size : 0);
  writeDigits(target, start + 39, 11, tick.isBid ? tick.priceE4 : 0);
  writeDigits(target, start + 50, 9, tick.isBid ? 0 : tick.size);
  writeDigits(target, start + 59, 11, tick.isBid ? 0 : tick.priceE4);
  writeDigits(target, start + 70, 16, sequence);
  target[start + 86] = 67; // 'C'
  return start + 87;
}

function writeTime(target: Uint8Array, start: number, localMs: number): void {
  writeDigits(target, start, 2, Math.floor(localMs / 3_600_000));
  writeDigits(target, start + 2, 2, Math.floor(localMs / 60_000) % 60);
  writeDigits(target, start + 4, 5, localMs % 60_000);
}

function writeDigits(target: Uint8Array, start: number, width: number, value: number): void {
  let rest = value;
  for (let at = start + width - 1; at >= start; at--) {
    const quotient = Math.floor(rest / 10);
    target[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
}

function paddedSymbol(symbol: string): string {
  const [root = '', suffix = ''] = symbol.split('.');
  return root.padEnd(6) + suffix.padEnd(10);
}
