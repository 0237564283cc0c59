import type { EnrichedTick } from '@tickfold/market';
import fc from 'fast-check';

/** 2013-10-08 10:00 in New York. */
export const TEN_O_CLOCK_MS = Date.UTC(2013, 9, 8, 14);
export const MINUTE_MS = 60_000;

const blank: EnrichedTick = {
  kind: 'trade',
  symbol: 'BAC',
  eventTimeMs: TEN_O_CLOCK_MS,
  source: 'feed:1',
  exchange: 'N',
  priceE4: 0,
  size: 0,
  side: 'none',
  bidPriceE4: 0,
  bidSize: 0,
  askPriceE4: 0,
  askSize: 0,
  volumeToday: 0,
  previousCloseE4: null,
  changeBps: null,
  averageVolume20: null,
  relativeVolume: null,
  vwap20E4: null,
  vwapDeviation: null,
  sizePercentile: null,
};

export function trade(priceE4: number, more: Partial<EnrichedTick> = {}): EnrichedTick {
  return { ...blank, priceE4, size: 100, ...more };
}

/** A side of 0 is unchanged. */
export function quote(bidPriceE4: number, askPriceE4: number, more: Partial<EnrichedTick> = {}): EnrichedTick {
  const side = bidPriceE4 > 0 ? 'bid' : 'ask';
  const priceE4 = bidPriceE4 || askPriceE4;
  return { ...blank, kind: 'quote', side, priceE4, size: 100, bidPriceE4, bidSize: 1, askPriceE4, askSize: 1, ...more };
}

/** Parameters under which a model trades often within few ticks. */
export const eager = { warmUpMinutes: 0, entrySignal: 0.5, leastDeviationE4: 1, averagingMinutes: 1 };

/** Ticks of one partition in their order: two symbols, all kinds, one-sided quotes, equal times. */
export const tickSequences: fc.Arbitrary<EnrichedTick[]> = fc
  .array(
    fc.record({
      symbol: fc.constantFrom('BAC', 'IBM'),
      what: fc.constantFrom('trade', 'trade', 'bid', 'ask', 'both', 'offer'),
      elapsedMs: fc.constantFrom(0, 1, 700, 5_000, 20_000, 20_000, 70_000),
      moveE4: fc.constantFrom(-900, -400, 0, 100, 400, 900),
      vwapDeviation: fc.constantFrom(null, -2, 0, 2),
      sizePercentile: fc.constantFrom(null, 5, 80),
    }),
    { minLength: 1, maxLength: 150, size: 'max' },
  )
  .map((steps) => {
    let eventTimeMs = TEN_O_CLOCK_MS;
    return steps.map(({ symbol, what, elapsedMs, moveE4, vwapDeviation, sizePercentile }, index) => {
      eventTimeMs += elapsedMs;
      const price = 140_000 + moveE4;
      const more = { symbol, eventTimeMs, source: `feed:${index + 1}`, vwapDeviation, sizePercentile };
      if (what === 'trade') return trade(price, more);
      if (what === 'offer') return trade(price, { ...more, kind: 'offer' });
      return quote(what === 'ask' ? 0 : price - 100, what === 'bid' ? 0 : price + 100, more);
    });
  });
