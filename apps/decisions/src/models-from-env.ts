import { readText, UsageError } from '@tickfold/app-runtime';

/** Versions that run, the first of them the first champion: `MODELS`, with commas between them. @throws UsageError */
export function modelsFromEnv(env: Record<string, string | undefined>): [string, ...string[]] {
  const text = readText(env, 'MODELS', 'reversion-1,reversion-2');
  const [first, ...others] = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (first === undefined) {
    throw new UsageError(
      `MODELS=${text} names no version.`,
      'Set it to those that run: MODELS=reversion-1,reversion-2',
    );
  }
  return [first, ...others];
}
