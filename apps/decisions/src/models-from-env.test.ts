import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { modelsFromEnv } from './models-from-env.ts';

test('versions are read in their order, spaces and empty places left out', () => {
  expect(modelsFromEnv({ MODELS: 'b, a,,' })).toEqual(['b', 'a']);
  expect(modelsFromEnv({})).toEqual(['reversion-1', 'reversion-2']);
});

test('a list without a version is refused by its value', () => {
  expect(() => modelsFromEnv({ MODELS: ' , ' })).toThrow(UsageError);
  expect(() => modelsFromEnv({ MODELS: ' , ' })).toThrow('MODELS= ,  names no version');
});
