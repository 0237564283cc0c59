import { type Decision, formatNewYork, formatPriceE4 } from '@tickfold/market';
import type { DifferenceDetail, ModelDescription, NamedValue } from './contract.ts';
import { type DecidedDifference, NO_DECISION } from './difference-join.ts';

/** What is known of a model beyond its stream. */
export type ModelFacts = Pick<ModelDescription, 'known' | 'description' | 'parameters' | 'ranges' | 'assumptions'>;

/** Why the versions differ: what they had in common (the tick and its features), then what each knew and did. */
export function explainDifference(
  difference: DecidedDifference,
  explain: (decision: Decision) => string,
  factsOf: (model: string) => ModelFacts,
): DifferenceDetail {
  const { decisions, ...publicPart } = difference;
  const decided = decisions.find((decision) => decision !== null);
  return {
    difference: publicPart,
    tick: decided ? tickValues(decided, difference.source) : [],
    features: decided ? featureValues(decided) : [],
    sides: difference.sides.map(({ model, action }, index) => {
      const decision = decisions[index] ?? null;
      return {
        model,
        action,
        reason: decision === null ? `${model} wrote no decision for this tick.` : explain(decision),
        values: decision === null ? [] : sideValues(decision),
        parametersVersion: decision?.parametersVersion ?? null,
        parameters: action === NO_DECISION ? [] : factsOf(model).parameters,
      };
    }),
  };
}

function tickValues(decision: Decision, source: string): NamedValue[] {
  return [
    named('symbol', 'Symbol', decision.symbol),
    named('eventTimeMs', 'Event time', `${formatNewYork(decision.eventTimeMs)} New York`),
    named('priceE4', 'Price', `${formatPriceE4(decision.priceE4)} USD`),
    named('size', 'Size', `${decision.size.toLocaleString('en-US')} shares`),
    named('source', 'Source', source),
  ];
}

function featureValues(decision: Decision): NamedValue[] {
  const { changeBps, relativeVolume, vwapDeviation, sizePercentile } = decision;
  return [
    named(
      'changeBps',
      'Change from the previous close',
      text(changeBps, (value) => `${signed(value / 100, 2)}%`),
    ),
    named(
      'relativeVolume',
      'Volume so far over a 20-session average day',
      text(relativeVolume, (v) => `${v.toFixed(2)}×`),
    ),
    named('vwapDeviation', 'Price from the 20-session VWAP', text(vwapDeviation, inDeviations)),
    named(
      'sizePercentile',
      'Size among trades at this time of day',
      text(sizePercentile, (value) => `larger than ${value.toFixed(0)}% of them`),
    ),
  ];
}

/** The limit that a decision compared with is in its reason: its unit differs from reason to reason. */
function sideValues(decision: Decision): NamedValue[] {
  const { signal, meanE4, deviationE4, previousTarget, target } = decision;
  return [
    named('meanE4', 'Its average price', text(meanE4, inUsd)),
    named('deviationE4', 'Its standard deviation (sd)', text(deviationE4, inUsd)),
    named('signal', 'Price from its average', text(signal, inDeviations)),
    named('target', 'Position wanted', `${shares(previousTarget)} → ${shares(target)} shares`),
  ];
}

const named = (name: string, label: string, value: string): NamedValue => ({ name, label, value });

const text = (value: number | null, write: (value: number) => string): string =>
  value === null ? 'not known' : write(value);

const inUsd = (valueE4: number): string => `${(valueE4 / 10_000).toFixed(4)} USD`;

const inDeviations = (value: number): string => `${signed(value, 2)} sd`;

const shares = (count: number): string => count.toLocaleString('en-US').replace('-', '−');

/** `+1.25`, `−0.40`. */
function signed(value: number, digits: number): string {
  const size = Math.abs(value).toFixed(digits);
  if (Number(size) === 0) return size;
  return `${value < 0 ? '−' : '+'}${size}`;
}
