import { describe, expect, test } from 'vitest';
import { ModelError } from './errors.ts';
import { parametersVersion, parseParameters, resolveParameters } from './parameters.ts';

const specs = {
  entry: { default: 2, min: 0.5, max: 10, unit: 'deviations', description: '' },
  shares: { default: 100, min: 1, max: 1_000, unit: 'shares', whole: true, description: '' },
} as const;
const model = { name: 'm-1', parameters: specs };

const refusal = (overrides: Record<string, unknown>): ModelError => {
  try {
    resolveParameters(model, overrides);
  } catch (error) {
    return error as ModelError;
  }
  throw new Error('was not refused');
};

describe('parameters of a model', () => {
  test('are the defaults where nothing else is given', () => {
    expect(resolveParameters(model, { entry: 3 })).toEqual({ entry: 3, shares: 100 });
  });

  test('refuse a value out of range by parameter, value and range', () => {
    const error = refusal({ entry: 11 });
    expect(error).toBeInstanceOf(ModelError);
    expect(error.message).toBe('m-1: entry=11 is outside of 0.5 to 10.');
    expect(error.mend).toContain('a number from 0.5 to 10');
  });

  test.each([[1.5], ['many'], [null], [Number.NaN]])('refuse %j where a whole number is needed', (value) => {
    expect(refusal({ shares: value }).code).toBe('parameter-not-a-number');
  });

  test.each(['size', 'constructor', '__proto__'])('refuse the unknown name %s and list the known ones', (name) => {
    const error = refusal(JSON.parse(`{"${name}":1}`));
    expect(error.message).toContain(name);
    expect(error.mend).toBe('Choose from entry, shares.');
  });

  test.each([['{"entry": 2.5, "shares": 10}'], ['entry=2.5,shares=10'], [' entry=2.5  shares=10 ']])(
    'are read from %j',
    (text) => {
      expect(parseParameters(text)).toEqual({ entry: 2.5, shares: 10 });
    },
  );

  test('override nothing when the text is empty', () => {
    expect(parseParameters(' ')).toEqual({});
  });

  test.each(['{"entry":', 'entry', 'entry=', '=3', 'entry=1=2'])(
    'are refused from %j with how to write them',
    (text) => {
      expect(() => parseParameters(text)).toThrow(ModelError);
    },
  );

  test('are named by what differs from the defaults', () => {
    expect(parametersVersion(specs, { entry: 2, shares: 100 })).toBe('defaults');
    expect(parametersVersion(specs, { entry: 2.5, shares: 100 })).toBe('entry=2.5');
  });
});
