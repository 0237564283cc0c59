import { isDeepStrictEqual } from 'node:util';
import type { Decision, EnrichedTick } from '@tickfold/market';
import { createModelFold, type FoldOutputs, findModel, type Model, runFold } from '@tickfold/models';
import fc from 'fast-check';
import { eager, tickSequences } from '../../models/test/ticks.ts';
import { type MarkPair, ModelComparison } from '../src/model-comparison.ts';

export { tickSequences };

const fees = {
  feePerShareE4: fc.integer({ min: 0, max: 50 }),
  feeMinimumE4: fc.integer({ min: 0, max: 5_000 }),
  // Narrow enough for some orders to wait, and to be replaced before they are filled.
  maxQuoteDistancePercent: fc.constantFrom(0.2, 0.5, 5),
};

/** The versions of this build, trading often, with parameters of any kind. */
const realModels: fc.Arbitrary<Model> = fc
  .record({
    name: fc.constantFrom('reversion-1', 'reversion-2'),
    parameters: fc.record({
      ...fees,
      shares: fc.integer({ min: 1, max: 300 }),
      entrySignal: fc.double({ min: 0.5, max: 3, noNaN: true }),
      maxHoldMinutes: fc.integer({ min: 1, max: 5 }),
    }),
  })
  .map(({ name, parameters }) => findModel(name).create({ ...eager, ...parameters }));

/** Wants anything at any time: parts of a position, more of it, the opposite. Some trades leave it where it is. */
const artificialModels: fc.Arbitrary<Model> = fc
  .record({
    targets: fc.array(fc.option(fc.constantFrom(-300, -100, 0, 0, 0, 50, 100, 300), { freq: 2, nil: undefined }), {
      minLength: 1,
      maxLength: 60,
    }),
    parameters: fc.record(fees),
  })
  .map(({ targets, parameters }) => artificialModel(targets, parameters));

export const anyModels = fc.oneof(realModels, artificialModels);

function artificialModel(targets: (number | undefined)[], parameters: Model['parameters']): Model {
  return {
    name: 'artificial',
    parameters,
    createState: () => ({ trades: 0, wanted: new Map<string, number>() }),
    evaluate(untyped, trade) {
      const state = untyped as { trades: number; wanted: Map<string, number> };
      const previousTarget = state.wanted.get(trade.symbol) ?? 0;
      const target = targets[state.trades++ % targets.length] ?? previousTarget;
      state.wanted.set(trade.symbol, target);
      return artificialDecision(trade, previousTarget, target);
    },
  };
}

function artificialDecision(trade: EnrichedTick, previousTarget: number, target: number): Decision {
  return {
    symbol: trade.symbol,
    eventTimeMs: trade.eventTimeMs,
    priceE4: trade.priceE4,
    size: trade.size,
    action: target > previousTarget ? 'buy' : target < previousTarget ? 'sell' : 'hold',
    reason: target > previousTarget ? 'below_mean' : target < previousTarget ? 'above_mean' : 'within_band',
    previousTarget,
    target,
    signal: null,
    threshold: null,
    meanE4: null,
    deviationE4: null,
    changeBps: null,
    relativeVolume: null,
    vwapDeviation: null,
    sizePercentile: null,
    parametersVersion: 'defaults',
  };
}

export interface Folded {
  comparison: ModelComparison;
  outputs: { a: FoldOutputs; b: FoldOutputs }[][];
}

/** Folds each partition by both models, live and replay as they are, and compares the outcomes. */
export function compareFolded(a: Model, b: Model, partitions: EnrichedTick[][]): Folded {
  const comparison = new ModelComparison();
  const outputs = partitions.map((ticks, partition) => {
    const [foldedA, foldedB] = [a, b].map((model) => [...runFold(createModelFold(model), ticks, partition)]);
    const both = ticks.map((_, index) => ({ a: foldedA![index]!, b: foldedB![index]! }));
    const partitionComparison = comparison.partition(lastMarks(both, partition));
    for (const [index, one] of both.entries()) {
      const at = { partition, inputOffset: BigInt(index) };
      if (one.a.decision !== undefined || one.b.decision !== undefined) {
        const pair = { ...at, source: ticks[index]!.source, a: one.a.decision, b: one.b.decision };
        partitionComparison.decisions(pair, isDeepStrictEqual(pair.a, pair.b));
      }
      partitionComparison.fills(at, one.a.fill, one.b.fill);
    }
    partitionComparison.close();
    return both;
  });
  return { comparison, outputs };
}

function lastMarks(outputs: { a: FoldOutputs; b: FoldOutputs }[], partition: number): MarkPair | undefined {
  const index = outputs.findLastIndex(({ a, b }) => a.equity !== undefined && b.equity !== undefined);
  if (index === -1) return undefined;
  const { a, b } = outputs[index]!;
  return { partition, inputOffset: BigInt(index), a: a.equity!, b: b.equity! };
}
