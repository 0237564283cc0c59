import { UsageError } from './errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The variable's text, or the fallback where it is unset or empty. */
export function readText(env: Env, name: string, fallback: string): string {
  const value = env[name];
  return value === undefined || value === '' ? fallback : value;
}

/** @throws UsageError when the value is no number or lies outside of [min, max] */
export function readNumber(
  env: Env,
  name: string,
  fallback: number,
  range: { min?: number; max?: number } = {},
): number {
  const text = env[name];
  if (text === undefined || text.trim() === '') return fallback;
  const value = Number(text);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = range;
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new UsageError(
      `${name}=${text} is not a number${describeRange(range)}.`,
      `Set ${name} to such a number, or unset it for ${fallback}.`,
    );
  }
  return value;
}

/** @throws UsageError when the value is no whole number or lies outside of [min, max] */
export function readInteger(
  env: Env,
  name: string,
  fallback: number,
  range: { min?: number; max?: number } = {},
): number {
  const value = readNumber(env, name, fallback, range);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(
      `${name}=${env[name]} is not a whole number.`,
      `Set ${name} to a whole number, or unset it for ${fallback}.`,
    );
  }
  return value;
}

/** A TCP port; 0 asks the system for a free one. */
export function readPort(env: Env, name: string, fallback: number): number {
  return readInteger(env, name, fallback, { min: 0, max: 65_535 });
}

function describeRange({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  if (max !== undefined) return ` of at most ${max}`;
  return '';
}
