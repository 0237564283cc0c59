import type { Decision, Fill } from '@tickfold/market';
import { beforeEach, expect, test } from 'vitest';
import { type SettledTrip, TripBook } from './trip-book.ts';

const FEE_E4 = 1_000;

let settled: SettledTrip[];
let book: TripBook;
let inputOffset: bigint;

beforeEach(() => {
  settled = [];
  book = new TripBook((trip) => settled.push(trip));
  inputOffset = 0n;
});

/** Targets that both want after a trade; left out: the side keeps what it wanted. Returns the source id of the trade. */
function decide(priceE4: number, targets: { a?: [from: number, to: number]; b?: [from: number, to: number] }): string {
  const source = `feed:${++inputOffset}`;
  const decisionOf = (change: [number, number] = [0, 0]): Decision => ({
    symbol: 'BAC',
    eventTimeMs: Number(inputOffset),
    priceE4,
    size: 1,
    action: change[1] > change[0] ? 'buy' : change[1] < change[0] ? 'sell' : 'hold',
    reason: change[1] === change[0] ? 'within_band' : 'below_mean',
    previousTarget: change[0],
    target: change[1],
    signal: null,
    threshold: null,
    meanE4: null,
    deviationE4: null,
    changeBps: null,
    relativeVolume: null,
    vwapDeviation: null,
    sizePercentile: null,
    parametersVersion: 'defaults',
  });
  book.decided({ partition: 0, inputOffset, source, a: decisionOf(targets.a), b: decisionOf(targets.b) });
  return source;
}

function fill(side: 'a' | 'b', shares: number, priceE4: number, decisionSource: string): void {
  inputOffset++;
  const filled: Fill = {
    symbol: 'BAC',
    eventTimeMs: Number(inputOffset),
    side: shares > 0 ? 'buy' : 'sell',
    quantity: Math.abs(shares),
    priceE4,
    feeE4: FEE_E4,
    decisionSource,
    decisionTimeMs: 0,
    quoteSource: `feed:${inputOffset}`,
    positionAfter: 0,
    realisedE4: 0,
  };
  book.filled(side, filled, { partition: 0, inputOffset });
}

const told = () =>
  settled.map(({ kind, tick, amountE4 }) => ({ kind, source: tick.source, amountE4: Number(amountE4) }));

test('a trip is settled as soon as nothing can change it, not in the end', () => {
  const opening = decide(100, { a: [0, 10] });
  fill('a', 10, 101, opening);
  const closing = decide(110, { a: [10, 0] });
  expect(told()).toEqual([]);
  fill('a', -10, 109, closing);
  expect(told()).toEqual([{ kind: 'only-a', source: opening, amountE4: -(80 - 2 * FEE_E4) }]);
  book.close();
  expect(settled).toHaveLength(1);
});

test('a trip waits for the other side as long as its order of the same tick may still be filled', () => {
  const opening = decide(100, { a: [0, 10], b: [0, 10] });
  fill('a', 10, 101, opening);
  fill('a', -10, 109, decide(110, { a: [10, 0] }));
  expect(told()).toEqual([]);
  fill('b', 10, 105, opening);
  expect(told()).toEqual([]);
  fill('b', -10, 109, decide(110, { b: [10, 0] }));
  expect(told()).toMatchObject([{ kind: 'closed-differently', amountE4: -40 }]);
});

test('an order that is replaced before it is filled opens nothing any more', () => {
  const opening = decide(100, { a: [0, 10], b: [0, 10] });
  fill('a', 10, 101, opening);
  fill('a', -10, 109, decide(110, { a: [10, 0] }));
  decide(110, { b: [10, 0] });
  expect(told()).toMatchObject([{ kind: 'only-a', source: opening }]);
});

test('a fill through zero closes one trip, with its fee, and opens the next', () => {
  const long = decide(100, { b: [0, 10] });
  fill('b', 10, 100, long);
  const short = decide(110, { b: [10, -5] });
  fill('b', -15, 110, short);
  expect(told()).toEqual([{ kind: 'only-b', source: long, amountE4: 100 - 2 * FEE_E4 }]);
  decide(120, {});
  book.close();
  expect(told()[1]).toEqual({ kind: 'only-b', source: short, amountE4: -50 });
});

test('what is added to a position, and taken from it, belongs to the trip that it is on', () => {
  const opening = decide(100, { a: [0, 10] });
  fill('a', 10, 100, opening);
  fill('a', 10, 104, decide(104, { a: [10, 20] }));
  fill('a', -5, 110, decide(110, { a: [20, 15] }));
  decide(112, {});
  book.close();
  expect(told()).toEqual([
    { kind: 'only-a', source: opening, amountE4: -(-1_000 - 1_040 + 550 + 15 * 112 - 3 * FEE_E4) },
  ]);
});

test('where one has closed and the other has not, the tick of the close parts them', () => {
  const opening = decide(100, { a: [0, 10], b: [0, 10] });
  fill('a', 10, 100, opening);
  fill('b', 10, 100, opening);
  const closing = decide(110, { b: [10, 0] });
  fill('b', -10, 110, closing);
  decide(115, {});
  book.close();
  expect(told()).toEqual([{ kind: 'closed-differently', source: closing, amountE4: 100 - FEE_E4 - 150 }]);
});

test('trips of the same fills are no difference', () => {
  const opening = decide(100, { a: [0, 10], b: [0, 10] });
  fill('a', 10, 100, opening);
  fill('b', 10, 100, opening);
  const closing = decide(110, { a: [10, 0], b: [10, 0] });
  fill('a', -10, 110, closing);
  fill('b', -10, 110, closing);
  book.close();
  expect(settled).toEqual([]);
});

test('a fill whose decision nobody knows counts all the same, without reasons', () => {
  fill('b', 10, 100, 'elsewhere:1');
  book.close();
  expect(settled).toMatchObject([{ kind: 'only-b', tick: { source: 'elsewhere:1', reasonA: null, reasonB: null } }]);
});
