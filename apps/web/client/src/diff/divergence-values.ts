import type { Divergence } from '@tickfold/evaluation/browser';
import type { Decision, EnrichedTick } from '@tickfold/market/browser';
import type { NamedValue } from '../contract.ts';
import { changePercent, count, deviations, price, UNKNOWN } from '../format.ts';

const NOT_KNOWN = 'not known';

/** The tick with its features; where it is no longer in the log, what the decisions say of it. */
export function sharedValues({ tick, a, b, source, partition, inputOffset }: Divergence): NamedValue[] {
  const decision = a.decision ?? b.decision;
  const place = [
    named('place', 'Enriched tick', `partition ${partition}, offset ${count(Number(inputOffset))}`),
    named('source', 'Source', source),
  ];
  const seen = tick ?? decision;
  if (seen === null) return place;
  return [
    named('price', 'Price', `${price(seen.priceE4)} USD`),
    named('size', 'Size', `${count(seen.size)} shares`),
    ...(tick === null ? [] : historyValues(tick)),
    ...featureValues(seen),
    ...place,
  ];
}

function historyValues({ previousCloseE4, vwap20E4, averageVolume20, volumeToday }: EnrichedTick): NamedValue[] {
  return [
    named('previousClose', 'Previous close', inUsd(previousCloseE4)),
    named('vwap20', '20-session VWAP', inUsd(vwap20E4)),
    named('averageVolume20', 'Average volume of 20 sessions', inShares(averageVolume20)),
    named('volumeToday', 'Volume so far', inShares(volumeToday)),
  ];
}

function featureValues(seen: Decision | EnrichedTick): NamedValue[] {
  const { changeBps, relativeVolume, vwapDeviation, sizePercentile } = seen;
  return [
    named('changeBps', 'Change from the previous close', known(changePercent(changeBps))),
    named('relativeVolume', 'Volume so far over a 20-session average day', decimals(relativeVolume, 2, '×')),
    named('vwapDeviation', 'Price from the 20-session VWAP', signed(vwapDeviation)),
    named('sizePercentile', 'Size, larger than of trades at this time of day', decimals(sizePercentile, 0, '%')),
  ];
}

/** What one side knew before this trade, and what it wanted. */
export function stateValues(decision: Decision): NamedValue[] {
  const { meanE4, deviationE4, signal, previousTarget, target, parametersVersion } = decision;
  return [
    named('mean', 'Its average price', inUsd(meanE4)),
    named('deviation', 'Its standard deviation (sd)', inUsd(deviationE4)),
    named('signal', 'Price from its average', signed(signal)),
    named('target', 'Position wanted', `${count(previousTarget)} → ${count(target)} shares`),
    named('parametersVersion', 'Parameters', parametersVersion),
  ];
}

const named = (name: string, label: string, value: string): NamedValue => ({ name, label, value });

const known = (text: string): string => (text === UNKNOWN ? NOT_KNOWN : text);

const decimals = (value: number | null, digits: number, unit: string): string =>
  value === null ? NOT_KNOWN : `${value.toFixed(digits)}${unit}`;

const inUsd = (valueE4: number | null): string => decimals(valueE4 === null ? null : valueE4 / 10_000, 4, ' USD');

const inShares = (shares: number | null): string =>
  shares === null ? NOT_KNOWN : `${count(Math.round(shares))} shares`;

const signed = (value: number | null): string => (value === null ? NOT_KNOWN : `${deviations(value)} sd`);
