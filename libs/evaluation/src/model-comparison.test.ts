import type { EnrichedTick } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, quote, TEN_O_CLOCK_MS, trade } from '../../models/test/ticks.ts';
import { anyModels, compareFolded, tickSequences } from '../test/folded.ts';
import type { ProfitDifference } from './volume-diff.ts';

const partitions = fc.array(tickSequences, { minLength: 1, maxLength: 2 });
const attributed = ({ parts }: ProfitDifference) => parts.reduce((sum, { amountE4 }) => sum + amountE4, 0);

describe('the difference in profit', () => {
  test('is the sum of its parts exactly, for any two models on any ticks, and nothing stays unattributed', () => {
    fc.assert(
      fc.property(anyModels, anyModels, partitions, (a, b, ticks) => {
        const { comparison, outputs } = compareFolded(a, b, ticks);
        const profit = comparison.profit();
        const marked = (side: 'a' | 'b') =>
          outputs.reduce((sum, both) => sum + both.findLast((one) => one[side].equity)![side].equity!.equityE4, 0);
        expect(profit.equityAE4).toBe(marked('a'));
        expect(profit.equityBE4).toBe(marked('b'));
        expect(profit.differenceE4).toBe(profit.equityBE4 - profit.equityAE4);
        expect(attributed(profit)).toBe(profit.differenceE4);
        expect(profit.parts.map(({ kind }) => kind)).not.toContain('unattributed');
      }),
      { numRuns: 300 },
    );
  });

  test('has no parts between a model and itself, and no decision differs', () => {
    fc.assert(
      fc.property(anyModels, partitions, (model, ticks) => {
        const { comparison } = compareFolded(model, model, ticks);
        expect(comparison.tally.kinds()).toEqual([]);
        expect(comparison.profit()).toMatchObject({ differenceE4: 0, parts: [] });
      }),
    );
  });

  test('changes its sign when the sides change places, part by part', () => {
    fc.assert(
      fc.property(anyModels, anyModels, partitions, (a, b, ticks) => {
        const there = compareFolded(a, b, ticks).comparison.profit();
        const back = compareFolded(b, a, ticks).comparison.profit();
        const amounts = ({ parts }: ProfitDifference, sign: 1 | -1) =>
          parts.map(({ amountE4 }) => 0 + sign * amountE4).sort((one, other) => one - other);
        expect(amounts(back, -1)).toEqual(amounts(there, 1));
      }),
    );
  });

  test('is seen by the properties above with parts of every kind', () => {
    const kinds = new Map<string, number>();
    for (const [a, b, ticks] of fc.sample(fc.tuple(anyModels, anyModels, partitions), { numRuns: 300, seed: 1 })) {
      for (const { kind } of compareFolded(a, b, ticks).comparison.profit().parts) {
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    }
    for (const kind of ['only-a', 'only-b', 'closed-differently', 'sized-or-priced-differently']) {
      expect(kinds.get(kind), kind).toBeGreaterThan(20);
    }
  });
});

/** A fall that is bought, a quote that fills, a rise that closes, a quote that fills; minute by minute. */
function dip(more: Partial<EnrichedTick> = {}): EnrichedTick[] {
  const at = (minute: number, ordinal: number) => ({
    eventTimeMs: TEN_O_CLOCK_MS + minute * MINUTE_MS,
    source: `feed:${ordinal}`,
  });
  return [
    trade(140_000, at(0, 1)),
    trade(140_100, at(1, 2)),
    trade(139_900, at(2, 3)),
    trade(138_000, { ...at(3, 4), ...more }),
    quote(0, 138_100, at(3, 5)),
    trade(141_000, at(4, 6)),
    quote(140_900, 0, at(4, 7)),
    trade(141_000, at(5, 8)),
  ];
}

const quick = { warmUpMinutes: 0 };
const one = findModel('reversion-1').create(quick);
const two = findModel('reversion-2').create(quick);

test('a trip that one side only made is told with the reason why the other did not', () => {
  const { comparison } = compareFolded(one, two, [dip({ vwapDeviation: -3 })]);
  expect(comparison.profit()).toMatchObject({
    equityAE4: 278_000,
    equityBE4: 0,
    differenceE4: -278_000,
    feesAE4: 2_000,
    fillsA: 2,
    fillsB: 0,
    parts: [
      {
        kind: 'only-a',
        reasonA: 'below_mean',
        reasonB: 'multi_day_move',
        trips: 1,
        amountE4: -278_000,
        example: { symbol: 'BAC', source: 'feed:4', inputOffset: '3', amountE4: -278_000 },
      },
    ],
  });
  expect(comparison.tally.firstAction).toMatchObject({ kind: 'action', inputOffset: 3n, source: 'feed:4' });
});

test('a trip of another size is told with the reason for it, fees included', () => {
  const { comparison } = compareFolded(one, findModel('reversion-1').create({ ...quick, shares: 300 }), [dip()]);
  expect(comparison.profit().parts).toMatchObject([
    {
      kind: 'sized-or-priced-differently',
      reasonA: 'below_mean',
      reasonB: 'below_mean',
      amountE4: 2 * 280_000 - 1_000,
    },
  ]);
});

test('a trip that one side has not closed yet is told with the tick that closed the other', () => {
  const patient = findModel('reversion-2').create({ ...quick, takeBack: 1 });
  const hasty = findModel('reversion-2').create({ ...quick, takeBack: 0.05 });
  const ticks = dip()
    .with(5, { ...dip()[5]!, priceE4: 139_000 })
    .with(6, quote(138_900, 0, { ...dip()[6]!, bidPriceE4: 138_900 }));
  ticks[7] = { ...ticks[7]!, priceE4: 139_500 };
  const { comparison } = compareFolded(patient, hasty, [ticks]);
  expect(comparison.profit().parts).toMatchObject([
    { kind: 'closed-differently', reasonA: 'price_awaited', reasonB: 'partly_reverted', example: { source: 'feed:6' } },
  ]);
});

test('an equity that no trip accounts for is not hidden', () => {
  const { comparison } = compareFolded(one, one, [dip()]);
  const worth = { minuteMs: 0, cashE4: 0, positionValueE4: 0, feesE4: 0, fills: 0 };
  const forged = { partition: 1, inputOffset: 0n, a: { ...worth, equityE4: 0 }, b: { ...worth, equityE4: 7 } };
  comparison.partition(forged).close();
  expect(comparison.profit().parts).toMatchObject([{ kind: 'unattributed', trips: 0, amountE4: 7, example: null }]);
});
