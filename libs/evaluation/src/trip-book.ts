import type { Decision, DecisionReason, Fill } from '@tickfold/market';
import { changesTarget } from './decision-difference.ts';
import type { DecisionPair } from './decision-tally.ts';
import type { ProfitPartKind } from './volume-diff.ts';

/** A tick on which at least one of the two asked for another position, and why each decided as it did. */
export interface DecidedTick {
  partition: number;
  inputOffset: bigint;
  source: string;
  symbol: string;
  eventTimeMs: number;
  reasonA: DecisionReason | null;
  reasonB: DecisionReason | null;
}

/** What a trip, or a pair of trips that began on one tick, adds to B's equity less A's. */
export interface SettledTrip {
  kind: Exclude<ProfitPartKind, 'unattributed'>;
  /** Where they parted: the tick that opened the trip, or, where they closed differently, the first that closed it. */
  tick: DecidedTick;
  amountE4: bigint;
}

type Side = 'a' | 'b';

/** The way of one position from flat to flat. */
interface Trip {
  /** Money received less money paid, fees included. */
  cashE4: bigint;
  closed: DecidedTick | undefined;
}

/** The trips that were opened by decisions on one tick, of which there are two where both opened one. */
interface TripPair {
  opened: DecidedTick;
  a: Trip | undefined;
  b: Trip | undefined;
}

interface Book {
  position: number;
  trip: Trip | undefined;
  /** The latest decision for another position, until it is filled. */
  order: DecidedTick | undefined;
}

interface SymbolBooks {
  lastTradeE4: number;
  a: Book;
  b: Book;
  /** Trips that are open, or that the other side may still open too. Never more than a few. */
  pairs: TripPair[];
}

/**
 * Cuts the fills of both sides in one partition into trips, pairs those that were opened on the same tick, and settles
 * each as soon as nothing can change it any more: memory holds open trips, not past ones. Decisions and fills come in the
 * order of their input; after the last one before the mark, `close` values what is open.
 *
 * The settled amounts sum up to the difference in equity, because every fill's cash is in exactly one trip and every
 * open position is valued in its own.
 */
export class TripBook {
  readonly #symbols = new Map<string, SymbolBooks>();
  readonly #onSettled: (trip: SettledTrip) => void;

  constructor(onSettled: (trip: SettledTrip) => void) {
    this.#onSettled = onSettled;
  }

  decided({ partition, inputOffset, source, a, b }: DecisionPair): void {
    const { symbol, eventTimeMs, priceE4 } = (a ?? b)!;
    const books = this.#booksOf(symbol);
    books.lastTradeE4 = priceE4;
    if (!changesTarget(a) && !changesTarget(b)) return;
    const reasons = { reasonA: reasonOf(a), reasonB: reasonOf(b) };
    const tick = { partition, inputOffset, source, symbol, eventTimeMs, ...reasons };
    if (changesTarget(a)) books.a.order = tick;
    if (changesTarget(b)) books.b.order = tick;
    this.#settleFinal(books);
  }

  /** @param at the quote's place, which stands in for the deciding tick's where the volume does not hold its decision */
  filled(side: Side, fill: Fill, at: { partition: number; inputOffset: bigint }): void {
    const books = this.#booksOf(fill.symbol);
    const book = books[side];
    const tick = book.order?.source === fill.decisionSource ? book.order : tickOfFill(fill, at);
    book.order = undefined;

    const change = fill.side === 'buy' ? fill.quantity : -fill.quantity;
    const closes = book.position !== 0 && Math.sign(change) !== Math.sign(book.position);
    const closing = closes ? Math.sign(change) * Math.min(Math.abs(change), Math.abs(book.position)) : 0;
    const opening = change - closing;
    let feeE4 = BigInt(fill.feeE4);
    if (closing !== 0) {
      const trip = book.trip!;
      trip.cashE4 -= valueE4(closing, fill.priceE4) + feeE4;
      feeE4 = 0n;
      book.position += closing;
      if (book.position === 0) {
        trip.closed = tick;
        book.trip = undefined;
      }
    }
    if (opening !== 0) {
      book.trip ??= openTrip(books, side, tick);
      book.trip.cashE4 -= valueE4(opening, fill.priceE4) + feeE4;
      book.position += opening;
    }
    this.#settleFinal(books);
  }

  /** Values open positions at the last trades, and settles everything. */
  close(): void {
    for (const books of this.#symbols.values()) {
      for (const { trip, position } of [books.a, books.b]) {
        if (trip !== undefined) trip.cashE4 += valueE4(position, books.lastTradeE4);
      }
      for (const pair of books.pairs) this.#settle(pair);
    }
    this.#symbols.clear();
  }

  #booksOf(symbol: string): SymbolBooks {
    let books = this.#symbols.get(symbol);
    if (books === undefined) {
      books = { lastTradeE4: 0, a: openBook(), b: openBook(), pairs: [] };
      this.#symbols.set(symbol, books);
    }
    return books;
  }

  #settleFinal(books: SymbolBooks): void {
    if (books.pairs.length === 0) return;
    books.pairs = books.pairs.filter((pair) => {
      if (!isFinal(pair, books, 'a') || !isFinal(pair, books, 'b')) return true;
      this.#settle(pair);
      return false;
    });
  }

  #settle(pair: TripPair): void {
    const settled = settledTrip(pair);
    if (settled !== undefined) this.#onSettled(settled);
  }
}

/** Undefined where both went the same way for the same money. */
function settledTrip({ opened, a, b }: TripPair): SettledTrip | undefined {
  const amountE4 = (b?.cashE4 ?? 0n) - (a?.cashE4 ?? 0n);
  if (a === undefined) return { kind: 'only-b', tick: opened, amountE4 };
  if (b === undefined) return { kind: 'only-a', tick: opened, amountE4 };
  if (a.closed?.source !== b.closed?.source) {
    return { kind: 'closed-differently', tick: earliest(a.closed, b.closed)!, amountE4 };
  }
  return amountE4 === 0n ? undefined : { kind: 'sized-or-priced-differently', tick: opened, amountE4 };
}

/** True when a side has closed its trip of the pair, or has none and its order of that tick can no longer open one. */
function isFinal({ opened, ...trips }: TripPair, books: SymbolBooks, side: Side): boolean {
  const trip = trips[side];
  return trip === undefined ? books[side].order?.source !== opened.source : trip.closed !== undefined;
}

function openBook(): Book {
  return { position: 0, trip: undefined, order: undefined };
}

function openTrip(books: SymbolBooks, side: Side, opened: DecidedTick): Trip {
  const trip: Trip = { cashE4: 0n, closed: undefined };
  const pair = books.pairs.find((known) => known.opened.source === opened.source && known[side] === undefined);
  if (pair !== undefined) pair[side] = trip;
  else books.pairs.push({ opened, a: undefined, b: undefined, [side]: trip });
  return trip;
}

function reasonOf(decision: Decision | undefined): DecisionReason | null {
  return decision?.reason ?? null;
}

function tickOfFill({ symbol, decisionSource, decisionTimeMs }: Fill, at: { partition: number; inputOffset: bigint }) {
  return { ...at, source: decisionSource, symbol, eventTimeMs: decisionTimeMs, reasonA: null, reasonB: null };
}

function earliest(one: DecidedTick | undefined, other: DecidedTick | undefined): DecidedTick | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.inputOffset < one.inputOffset ? other : one;
}

function valueE4(shares: number, priceE4: number): bigint {
  return BigInt(shares) * BigInt(priceE4);
}
