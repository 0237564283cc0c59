import type { EnrichedTick, Fill } from '@tickfold/market';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eager, MINUTE_MS, TEN_O_CLOCK_MS, tickSequences, trade } from '../test/ticks.ts';
import { createModelFold, type FoldOutputs, type ModelFold, runFold } from './fold.ts';
import { models } from './registry.ts';

const folds = [...models.values()].map((definition) => createModelFold(definition.create(eager)));

/** Source ids as the ordinals they were made from. */
const ordinal = (source: string): number => Number(source.split(':')[1]);

describe.each(folds.map((fold) => [fold.model.name, fold] as const))('the fold of %s', (_, fold) => {
  test('keeps equity equal to the sum over its fills and marks, at every minute', () => {
    fc.assert(
      fc.property(tickSequences, (ticks) => {
        const ledger = new Ledger();
        let index = 0;
        for (const { equity, fill } of runFold(fold, ticks)) {
          if (equity !== undefined) expect(equity).toMatchObject(ledger.worth());
          if (fill !== undefined) ledger.enter(fill);
          ledger.see(ticks[index++]!);
        }
        expect(ledger.realisedLessFeesWhenFlat()).toBe(ledger.equityWhenFlat());
      }),
    );
  });

  test('fills every order at the first opposite quote after the deciding tick, or not at all', () => {
    fc.assert(
      fc.property(tickSequences, (ticks) => {
        for (const { fill } of runFold(fold, ticks)) {
          if (fill === undefined) continue;
          const after = ticks.slice(ordinal(fill.decisionSource));
          const first = after.find((tick) => tick.symbol === fill.symbol && oppositePrice(tick, fill.side) > 0);
          expect(first?.source).toBe(fill.quoteSource);
          expect(oppositePrice(first!, fill.side)).toBe(fill.priceE4);
        }
      }),
    );
  });

  test('gives the same outputs when it is re-folded up to any place and goes on from there', () => {
    fc.assert(
      fc.property(tickSequences, fc.nat(), (ticks, cut) => {
        expect(refolded(fold, ticks, cut % (ticks.length + 1))).toEqual([...runFold(fold, ticks)]);
      }),
    );
  });

  test('gives outputs that do not depend on what follows', () => {
    fc.assert(
      fc.property(tickSequences, tickSequences, (ticks, others) => {
        const known = [...runFold(fold, ticks)];
        expect([...runFold(fold, [...ticks, ...others])].slice(0, ticks.length)).toEqual(known);
      }),
    );
  });

  test('marks once a minute of event time, before the tick that begins it', () => {
    const ticks = [0, 10, 59_999, 60_000, 60_001, 200_000].map((elapsedMs) =>
      trade(140_000, { eventTimeMs: TEN_O_CLOCK_MS + elapsedMs }),
    );
    const minutes = [...runFold(fold, ticks)].map(
      ({ equity }) => equity && (equity.minuteMs - TEN_O_CLOCK_MS) / MINUTE_MS,
    );
    expect(minutes).toEqual([0, undefined, undefined, 1, undefined, 3]);
  });

  test('decides on every trade and on nothing else', () => {
    fc.assert(
      fc.property(tickSequences, (ticks) => {
        const decided = [...runFold(fold, ticks)].map(({ decision }) => decision !== undefined);
        expect(decided).toEqual(ticks.map(({ kind }) => kind === 'trade'));
      }),
    );
  });

  test('idles on a feed of offers', () => {
    const offers = [1, 2, 3].map((n) => trade(140_000 + n, { kind: 'offer', eventTimeMs: TEN_O_CLOCK_MS + n }));
    expect([...runFold(fold, offers)].flatMap(({ decision, fill }) => [decision, fill].filter(Boolean))).toEqual([]);
  });
});

test('the properties above see sequences with fills, closed positions and differences between the versions', () => {
  let fills = 0;
  let profits = 0;
  let differences = 0;
  for (const ticks of fc.sample(tickSequences, { numRuns: 100, seed: 1 })) {
    const [one, two] = folds.map((fold) => [...runFold(fold, ticks)]) as [FoldOutputs[], FoldOutputs[]];
    fills += one.filter(({ fill }) => fill !== undefined).length;
    profits += one.filter(({ fill }) => fill !== undefined && fill.realisedE4 !== 0).length;
    differences += one.filter(({ decision }, index) => decision?.action !== two[index]?.decision?.action).length;
  }
  expect(fills).toBeGreaterThan(100);
  expect(profits).toBeGreaterThan(50);
  expect(differences).toBeGreaterThan(100);
});

test('a fold that keeps something outside of its state is found by re-folding it', () => {
  const [fold] = folds as [ModelFold, ...ModelFold[]];
  const shared = fold.createState(0);
  const leaky: ModelFold = { ...fold, createState: () => shared };
  const ticks = fc.sample(tickSequences, { numRuns: 1, seed: 7 })[0]!;
  expect(refolded(leaky, ticks, 1)).not.toEqual([...runFold(leaky, ticks)]);
});

/** What a run writes that is killed after `cut` ticks and resumed by another process: the state is folded anew. */
function refolded(fold: ModelFold, ticks: EnrichedTick[], cut: number): FoldOutputs[] {
  const written = [...runFold(fold, ticks.slice(0, cut))];
  return [...written, ...[...runFold(fold, ticks)].slice(cut)];
}

function oppositePrice(tick: EnrichedTick, side: Fill['side']): number {
  if (tick.kind !== 'quote') return 0;
  return side === 'buy' ? tick.askPriceE4 : tick.bidPriceE4;
}

/** A second, plainer account book. */
class Ledger {
  #cashE4 = 0;
  #feesE4 = 0;
  #realisedE4 = 0;
  #fills = 0;
  readonly #positions = new Map<string, number>();
  readonly #lastTrades = new Map<string, number>();
  #atFlat = { equityE4: 0, realisedLessFeesE4: 0 };

  enter({ symbol, side, quantity, priceE4, feeE4, realisedE4, positionAfter }: Fill): void {
    const shares = side === 'buy' ? quantity : -quantity;
    this.#cashE4 -= shares * priceE4 + feeE4;
    this.#feesE4 += feeE4;
    this.#realisedE4 += realisedE4;
    this.#fills += 1;
    this.#positions.set(symbol, (this.#positions.get(symbol) ?? 0) + shares);
    expect(this.#positions.get(symbol)).toBe(positionAfter);
    if ([...this.#positions.values()].every((position) => position === 0)) {
      this.#atFlat = { equityE4: this.#cashE4, realisedLessFeesE4: this.#realisedE4 - this.#feesE4 };
    }
  }

  see({ kind, symbol, priceE4 }: EnrichedTick): void {
    if (kind === 'trade') this.#lastTrades.set(symbol, priceE4);
  }

  worth(): { cashE4: number; positionValueE4: number; equityE4: number; feesE4: number; fills: number } {
    let positionValueE4 = 0;
    for (const [symbol, position] of this.#positions) positionValueE4 += position * this.#lastTrades.get(symbol)!;
    const cashE4 = this.#cashE4;
    return { cashE4, positionValueE4, equityE4: cashE4 + positionValueE4, feesE4: this.#feesE4, fills: this.#fills };
  }

  /** Equity when the last position was closed; without positions it is the profits made real less fees. */
  equityWhenFlat(): number {
    return this.#atFlat.equityE4;
  }

  realisedLessFeesWhenFlat(): number {
    return this.#atFlat.realisedLessFeesE4;
  }
}
