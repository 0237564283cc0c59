import type { Decision, EnrichedTick, EquityMark } from '@tickfold/market';

/** 2013-10-08 09:30:00 in New York. */
export const OPEN_MS = Date.UTC(2013, 9, 8, 13, 30);
export const SESSION = '2013-10-08';

/** A trade of 100 shares of BAC at 10 USD, unless told otherwise. */
export function enrichedTick(changes: Partial<EnrichedTick> = {}): EnrichedTick {
  return {
    kind: 'trade',
    symbol: 'BAC',
    eventTimeMs: OPEN_MS,
    source: 'day:1',
    exchange: 'N',
    priceE4: 100_000,
    size: 100,
    side: 'none',
    bidPriceE4: 0,
    bidSize: 0,
    askPriceE4: 0,
    askSize: 0,
    volumeToday: 100,
    previousCloseE4: 99_000,
    changeBps: 101.01,
    averageVolume20: 1_000,
    relativeVolume: 0.1,
    vwap20E4: 98_000,
    vwapDeviation: 2,
    sizePercentile: 50,
    ...changes,
  };
}

export function decision(changes: Partial<Decision> = {}): Decision {
  return {
    symbol: 'BAC',
    eventTimeMs: OPEN_MS,
    priceE4: 100_000,
    size: 100,
    action: 'hold',
    reason: 'within_band',
    previousTarget: 0,
    target: 0,
    signal: 0.5,
    threshold: 2,
    meanE4: 99_900,
    deviationE4: 200,
    changeBps: 101.01,
    relativeVolume: 0.1,
    vwapDeviation: 2,
    sizePercentile: 50,
    parametersVersion: 'defaults',
    ...changes,
  };
}

export function equityMark(changes: Partial<EquityMark> = {}): EquityMark {
  return { minuteMs: OPEN_MS, cashE4: 0, positionValueE4: 0, equityE4: 0, feesE4: 0, fills: 0, ...changes };
}
