import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { modelFromEnv } from './model-from-env.ts';

test('MODEL names the version and MODEL_PARAMS turns its parameters', () => {
  const model = modelFromEnv({ MODEL: 'reversion-2', MODEL_PARAMS: 'entrySignal=2.5' });
  expect(model).toMatchObject({ name: 'reversion-2', parameters: { entrySignal: 2.5, shares: 100 } });
});

test.each([
  [{}, 'MODEL: No model was named.'],
  [{ MODEL: 'reversion-9' }, 'MODEL: There is no model reversion-9.'],
  [
    { MODEL: 'reversion-1', MODEL_PARAMS: '{"entrySignal":99}' },
    'MODEL_PARAMS: reversion-1: entrySignal=99 is outside',
  ],
])('%j is a usage error that names the variable and the value', (env, message) => {
  expect(() => modelFromEnv(env)).toThrow(UsageError);
  expect(() => modelFromEnv(env)).toThrow(message);
});
