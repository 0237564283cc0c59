import type { ParameterRange } from '../contract.ts';

/** `a whole number from 1 to 10,000` */
export function rangeText({ min, max, whole }: ParameterRange): string {
  return `${whole ? 'a whole number' : 'a number'} from ${figure(min)} to ${figure(max)}`;
}

/** `1/10,000 USD` is exact and hard to read: the same in dollars, where it is money. */
export function inDollars({ unit }: ParameterRange, value: number): string | null {
  const MONEY = '1/10,000 USD';
  if (!unit.startsWith(MONEY)) return null;
  const dollars = (value / 10_000).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 });
  return `${dollars} USD${unit.slice(MONEY.length)}`;
}

export type ParameterEntry = { value: number; changed: boolean } | { problem: string };

/** What somebody typed for a parameter; an empty text is the default. */
export function readParameter(range: ParameterRange, text: string): ParameterEntry {
  const trimmed = text.trim();
  const value = trimmed === '' ? range.default : Number(trimmed);
  const isUsable = Number.isFinite(value) && value >= range.min && value <= range.max;
  if (!isUsable || (range.whole && !Number.isInteger(value))) {
    return {
      problem: `${range.name}=${trimmed} is not ${rangeText(range)}. Give one, or clear it for ${figure(range.default)}.`,
    };
  }
  return { value, changed: value !== range.default };
}

/** The parameters that differ from the defaults, or undefined where one of them cannot be used. */
export function readParameters(
  ranges: readonly ParameterRange[],
  texts: Readonly<Record<string, string>>,
): Record<string, number> | undefined {
  const changed: Record<string, number> = {};
  for (const range of ranges) {
    const entry = readParameter(range, texts[range.name] ?? '');
    if ('problem' in entry) return undefined;
    if (entry.changed) changed[range.name] = entry.value;
  }
  return changed;
}

export function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}
