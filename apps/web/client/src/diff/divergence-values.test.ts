import type { Divergence } from '@tickfold/evaluation/browser';
import type { Decision, EnrichedTick } from '@tickfold/market/browser';
import { expect, test } from 'vitest';
import { sharedValues, stateValues } from './divergence-values.ts';

const decision = {
  priceE4: 92_350,
  size: 200,
  previousTarget: 0,
  target: -100,
  signal: 1.92,
  meanE4: 91_800.3,
  deviationE4: null,
  changeBps: null,
  relativeVolume: 0.07,
  vwapDeviation: -0.31,
  sizePercentile: 63,
  parametersVersion: 'entrySignal=1.8',
} as Decision;
const tick = { ...decision, previousCloseE4: null, vwap20E4: 93_300.25, averageVolume20: 3_050_000, volumeToday: 7 };

const divergence = (changes: Partial<Divergence>): Divergence =>
  ({
    partition: 2,
    inputOffset: '4711',
    source: 'sim:1',
    tick: null,
    a: { decision: null, reason: '' },
    b: { decision, reason: '' },
    ...changes,
  }) as Divergence;

const written = (values: readonly { name: string; value: string }[]) =>
  Object.fromEntries(values.map(({ name, value }) => [name, value]));

test('the tick is shown with its features, and what history does not tell is said to be unknown', () => {
  expect(written(sharedValues(divergence({ tick: tick as unknown as EnrichedTick })))).toMatchObject({
    price: '9.2350 USD',
    vwap20: '9.3300 USD',
    previousClose: 'not known',
    changeBps: 'not known',
    vwapDeviation: '−0.3 sd',
    place: 'partition 2, offset 4,711',
  });
});

test('a tick that is no longer in the log is shown as the decision saw it', () => {
  const values = written(sharedValues(divergence({})));
  expect(values).toMatchObject({ price: '9.2350 USD', relativeVolume: '0.07×', sizePercentile: '63%' });
  expect(values).not.toHaveProperty('vwap20');
});

test('where there is neither tick nor decision, the place is left', () => {
  const nothing = divergence({ b: { decision: null, reason: '' } });
  expect(Object.keys(written(sharedValues(nothing)))).toEqual(['place', 'source']);
});

test('the state of a side is what it knew before the trade', () => {
  expect(written(stateValues(decision))).toEqual({
    mean: '9.1800 USD',
    deviation: 'not known',
    signal: '+1.9 sd',
    target: '0 → −100 shares',
    parametersVersion: 'entrySignal=1.8',
  });
});
