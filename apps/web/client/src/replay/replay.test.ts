import { describe, expect, test } from 'vitest';
import type { ParameterRange, Volume } from '../contract.ts';
import { diffAddress } from './diff-address.ts';
import { freeName } from './free-name.ts';
import { inDollars, rangeText, readParameter, readParameters } from './parameter-values.ts';
import { inReadingOrder, likelyPair, volumeText } from './volume-texts.ts';

const entry: ParameterRange = {
  name: 'entrySignal',
  label: 'Distance.',
  default: 2,
  min: 0.5,
  max: 10,
  unit: 'standard deviations',
  whole: false,
};
const shares: ParameterRange = { ...entry, name: 'shares', default: 100, min: 1, max: 10_000, unit: '', whole: true };

const volume = (name: string, changes: Partial<Volume> = {}): Volume => ({
  name,
  sizeBytes: 0,
  model: null,
  live: false,
  input: null,
  parametersVersion: null,
  ...changes,
});
const live = (model: string) => volume(`model-${model}`, { model, live: true, parametersVersion: 'defaults' });
const replay = (name: string, model: string) =>
  volume(name, { model, input: 'market@open', parametersVersion: 'entrySignal=1.8' });

test('the first number that is not taken makes a free name', () => {
  expect(freeName('try', [])).toBe('try-1');
  expect(freeName('try', ['try-1', 'try-3', 'market'])).toBe('try-2');
  expect(freeName('market@open', ['market@open-1', 'market@open-2'])).toBe('market@open-3');
});

test('an address names both sides, whatever is in their names', () => {
  const address = diffAddress('model-reversion-2', 'market@a&b');
  expect(address).toMatch(/^\/diff\?a=model-reversion-2&b=/);
  expect(new URL(address, 'http://x').searchParams.get('b')).toBe('market@a&b');
});

describe('a parameter', () => {
  test('that is left empty is the default, and not changed', () => {
    expect(readParameter(entry, '  ')).toEqual({ value: 2, changed: false });
    expect(readParameter(entry, '2.0')).toEqual({ value: 2, changed: false });
    expect(readParameter(entry, '1.8')).toEqual({ value: 1.8, changed: true });
  });

  test('may be as small and as large as its limits', () => {
    expect(readParameter(entry, '0.5')).toEqual({ value: 0.5, changed: true });
    expect(readParameter(entry, '10')).toEqual({ value: 10, changed: true });
  });

  test.each(['0.49', '10.01', 'much', '1,8', 'Infinity', 'NaN'])('is refused with its range when it is %s', (text) => {
    expect(readParameter(entry, text)).toEqual({
      problem: `entrySignal=${text} is not a number from 0.5 to 10. Give one, or clear it for 2.`,
    });
  });

  test('that counts something takes whole numbers only', () => {
    expect(rangeText(shares)).toBe('a whole number from 1 to 10,000');
    expect(readParameter(shares, '2.5')).toHaveProperty('problem');
    expect(readParameter(shares, '250')).toEqual({ value: 250, changed: true });
  });

  test('in 1/10,000 USD is told in dollars too', () => {
    expect(inDollars({ ...shares, unit: '1/10,000 USD per share' }, 5)).toBe('0.0005 USD per share');
    expect(inDollars(entry, 5)).toBeNull();
  });
});

test('a replay is asked for with what differs from the defaults, and not at all with what cannot be used', () => {
  expect(readParameters([entry, shares], {})).toEqual({});
  expect(readParameters([entry, shares], { entrySignal: '1.8', shares: '100' })).toEqual({ entrySignal: 1.8 });
  expect(readParameters([entry, shares], { entrySignal: '1.8', shares: '0' })).toBeUndefined();
});

test('a volume is told with who wrote it, how, and from what', () => {
  expect(volumeText(replay('try-1', 'reversion-2'))).toBe('reversion-2, entrySignal=1.8, replayed from market@open');
  expect(volumeText(live('reversion-1'))).toBe('reversion-1, defaults, runs live');
  expect(volumeText(volume('market'))).not.toMatch(/null/);
});

test('live versions come before replays, and both before everything else', () => {
  const volumes = [volume('market'), replay('try-1', 'reversion-1'), live('reversion-2'), live('reversion-1')];
  const names = inReadingOrder(volumes).map(({ name }) => name);
  expect(names).toEqual(['model-reversion-1', 'model-reversion-2', 'try-1', 'market']);
});

describe('the pair that is proposed', () => {
  const both = [volume('market'), live('reversion-1'), live('reversion-2')];

  test('is the last replay and what its version does live', () => {
    const volumes = [...both, replay('try-1', 'reversion-1'), replay('try-2', 'reversion-2')];
    const replayed = { model: 'reversion-2', volume: 'try-2' };
    expect(likelyPair(volumes, replayed)).toEqual({ a: 'model-reversion-2', b: 'try-2' });
    expect(likelyPair(volumes, null)).toEqual({ a: 'model-reversion-1', b: 'try-1' });
  });

  test('is the first two versions while nothing was replayed', () => {
    expect(likelyPair(both, null)).toEqual({ a: 'model-reversion-1', b: 'model-reversion-2' });
  });

  test('is nothing where fewer than two were written by a version', () => {
    expect(likelyPair([volume('market'), live('reversion-1')], null)).toBeNull();
    expect(likelyPair([], null)).toBeNull();
  });
});
