import { explain } from '@tickfold/models';
import { expect, test } from 'vitest';
import { decision } from '../test/records.ts';
import type { DecidedDifference } from './difference-join.ts';
import { explainDifference } from './explain-difference.ts';
import { modelFacts } from './model-facts.ts';

const difference: DecidedDifference = {
  id: '2-7',
  source: 'day:7',
  symbol: 'BAC',
  eventTimeMs: decision().eventTimeMs,
  priceE4: 100_000,
  sides: [
    { model: 'reversion-1', action: 'sell' },
    { model: 'reversion-2', action: 'hold' },
  ],
  decisions: [
    decision({ action: 'sell', reason: 'above_mean', target: -100, signal: 2.5 }),
    decision({ reason: 'multi_day_move', threshold: 1, vwapDeviation: 2 }),
  ],
};

const factsOf = (model: string) => modelFacts(model, null);

test('the answer names the tick, its features, and for each version its action, sentence, numbers and parameters', () => {
  const detail = explainDifference(difference, explain, factsOf);
  const text = JSON.stringify(detail);
  for (const part of ['day:7', '10.00 USD', '2013-10-08 09:30:00.000 New York', '+2.00 sd']) {
    expect(text).toContain(part);
  }
  expect(detail.sides.map(({ action }) => action)).toEqual(['sell', 'hold']);
  expect(detail.sides[1]?.reason).toMatch(/VWAP/);
  expect(detail.sides[0]?.values).toContainEqual({
    name: 'target',
    label: 'Position wanted',
    value: '0 → −100 shares',
  });
  expect(detail.sides[0]?.parameters.map(({ name }) => name)).toContain('exitSignal');
  expect(detail.difference).not.toHaveProperty('decisions');
});

test('a feature that history could not give is called not known', () => {
  const unknown = decision({ changeBps: null, vwapDeviation: null, sizePercentile: null });
  const { features } = explainDifference({ ...difference, decisions: [unknown, unknown] }, explain, factsOf);
  expect(features.filter(({ value }) => value === 'not known')).toHaveLength(3);
});

test('a version that wrote nothing says so', () => {
  const detail = explainDifference({ ...difference, decisions: [difference.decisions[0]!, null] }, explain, factsOf);
  expect(detail.sides[1]).toMatchObject({ reason: 'reversion-2 wrote no decision for this tick.', values: [] });
});

test('parameters are those that the running app says, in dollars where they are money', () => {
  const { parameters } = modelFacts('reversion-1', { parameters: { ...defaults('reversion-1'), shares: 7 } });
  expect(parameters.find(({ name }) => name === 'shares')?.value).toBe('7 shares');
  expect(parameters.find(({ name }) => name === 'feePerShareE4')?.value).toMatch(/^0\.\d+ USD per share$/);
  expect(parameters.find(({ name }) => name === 'feeMinimumE4')?.value).toMatch(/^\d+\.\d\d+ USD per order$/);
});

test('what a replay may set is told with its default and its limits', () => {
  const { ranges } = modelFacts('reversion-2', null);
  const entry = ranges.find(({ name }) => name === 'entrySignal');
  expect(entry).toMatchObject({ min: 0.5, max: 10, unit: 'standard deviations', whole: false });
  expect(ranges.find(({ name }) => name === 'shares')?.whole).toBe(true);
});

test('a model that this build does not know is said to be unknown', () => {
  expect(modelFacts('momentum-9', null)).toMatchObject({ known: false, parameters: [] });
});

function defaults(model: string): Record<string, number> {
  const entries = modelFacts(model, null).parameters.map(({ name, value }): [string, number] => {
    const amount = Number.parseFloat(value);
    return [name, name.endsWith('E4') ? Math.round(amount * 10_000) : amount];
  });
  return Object.fromEntries(entries);
}
