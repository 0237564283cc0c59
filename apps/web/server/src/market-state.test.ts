import { expect, test } from 'vitest';
import { enrichedTick, OPEN_MS, SESSION } from '../test/records.ts';
import { extendBar, MarketState } from './market-state.ts';

function stateOf(...ticks: ReturnType<typeof enrichedTick>[]): MarketState {
  const state = new MarketState();
  for (const tick of ticks) state.apply(tick, SESSION);
  return state;
}

test('trades of one minute make one bar, and the next minute begins another', () => {
  const state = stateOf(
    enrichedTick({ priceE4: 100_000, size: 100 }),
    enrichedTick({ priceE4: 102_000, size: 50, eventTimeMs: OPEN_MS + 20_000 }),
    enrichedTick({ priceE4: 99_000, size: 10, eventTimeMs: OPEN_MS + 59_999 }),
    enrichedTick({ priceE4: 101_000, size: 5, eventTimeMs: OPEN_MS + 60_000 }),
  );
  expect(state.bars('BAC')).toEqual([
    { startMs: OPEN_MS, openE4: 100_000, highE4: 102_000, lowE4: 99_000, closeE4: 99_000, volume: 160 },
    { startMs: OPEN_MS + 60_000, openE4: 101_000, highE4: 101_000, lowE4: 101_000, closeE4: 101_000, volume: 5 },
  ]);
});

test('a trade reported late counts into the current bar, so that bars only go forward', () => {
  const bar = extendBar(null, OPEN_MS, 100_000, 1);
  expect(extendBar(bar, OPEN_MS - 60_000, 90_000, 2)).toMatchObject({ startMs: OPEN_MS, lowE4: 90_000, volume: 3 });
});

test('a side of a quote that is 0 leaves the side that was there', () => {
  const state = stateOf(
    enrichedTick({ kind: 'quote', bidPriceE4: 99_900, askPriceE4: 100_100 }),
    enrichedTick({ kind: 'quote', bidPriceE4: 99_950, askPriceE4: 0 }),
  );
  expect(state.row('BAC')).toMatchObject({ bidPriceE4: 99_950, askPriceE4: 100_100, quoteCount: 2 });
});

test('offers move neither price, volume nor bars', () => {
  const state = stateOf(enrichedTick({ kind: 'offer', priceE4: 105_000, size: 900, volumeToday: 0 }));
  expect(state.row('BAC')).toMatchObject({
    lastPriceE4: null,
    lastOfferE4: 105_000,
    volume: 0,
    offerCount: 1,
    bar: null,
  });
  expect(state.bars('BAC')).toEqual([]);
});

test('a quote does not change what the last trade said of change and VWAP', () => {
  const state = stateOf(
    enrichedTick({ changeBps: 10, vwapDeviation: 1.5 }),
    enrichedTick({ kind: 'quote', changeBps: 500, vwapDeviation: 9, bidPriceE4: 1 }),
  );
  expect(state.row('BAC')).toMatchObject({ changeBps: 10, vwapDeviation: 1.5 });
});

test('a symbol turns its page with its own session, and another may still be in the session before', () => {
  const state = stateOf(enrichedTick(), enrichedTick({ symbol: 'IBM' }));
  state.apply(enrichedTick({ eventTimeMs: OPEN_MS + 86_400_000, volumeToday: 7, size: 7 }), '2013-10-09');
  state.apply(enrichedTick({ symbol: 'IBM', volumeToday: 200 }), SESSION);
  expect(state.row('BAC')).toMatchObject({ volume: 7, tradeCount: 1 });
  expect(state.bars('BAC')).toHaveLength(1);
  expect(state.row('IBM')).toMatchObject({ volume: 200, tradeCount: 2 });
  expect(state.sessionDate).toBe('2013-10-09');
});

test('a symbol without history is shown and counted', () => {
  const state = stateOf(enrichedTick({ previousCloseE4: null, averageVolume20: null, changeBps: null }));
  expect(state.totals).toMatchObject({ ticks: 1, withoutHistory: 1 });
  expect(state.row('BAC')).toMatchObject({ lastPriceE4: 100_000, changeBps: null });
});

test('the size of a standard deviation follows from a price and its distance from the VWAP', () => {
  const state = stateOf(enrichedTick({ priceE4: 100_000, vwap20E4: 98_000, vwapDeviation: 2 }));
  expect(state.reference('BAC')).toEqual({
    previousCloseE4: 99_000,
    averageVolume: 1_000,
    vwapE4: 98_000,
    standardDeviationE4: 1_000,
  });
});

test('a price at the VWAP tells no standard deviation, the next one that is away from it does', () => {
  const state = stateOf(
    enrichedTick({ priceE4: 98_000, vwapDeviation: 0 }),
    enrichedTick({ priceE4: 96_000, vwapDeviation: -2 }),
  );
  expect(state.reference('BAC').standardDeviationE4).toBe(1_000);
});

test('the ranking goes by shares, then by messages, and can be searched', () => {
  const state = stateOf(
    enrichedTick({ symbol: 'AAA', volumeToday: 10 }),
    enrichedTick({ symbol: 'BBB', volumeToday: 20 }),
    enrichedTick({ symbol: 'OFF', kind: 'offer' }),
    enrichedTick({ symbol: 'ABC', kind: 'quote', bidPriceE4: 1 }),
    enrichedTick({ symbol: 'ABC', kind: 'quote', bidPriceE4: 2 }),
  );
  const names = (rows: { symbol: string }[]) => rows.map(({ symbol }) => symbol);
  expect(names(state.ranking(10))).toEqual(['BBB', 'AAA', 'ABC', 'OFF']);
  expect(names(state.ranking(1))).toEqual(['BBB']);
  expect(names(state.ranking(10, 'A'))).toEqual(['AAA', 'ABC']);
});

test('only rows that changed after a revision are told', () => {
  const state = stateOf(enrichedTick({ symbol: 'AAA' }), enrichedTick({ symbol: 'BBB' }));
  const seen = state.revision;
  state.apply(enrichedTick({ symbol: 'BBB' }), SESSION);
  expect(state.changedSince(state.ranking(10), seen).map(({ symbol }) => symbol)).toEqual(['BBB']);
});

test('a sparkline has at most 48 points, the first and the last minute among them', () => {
  const state = new MarketState();
  for (let minute = 0; minute < 390; minute += 1) {
    state.apply(enrichedTick({ eventTimeMs: OPEN_MS + minute * 60_000, priceE4: 100_000 + minute }), SESSION);
  }
  const points = state.sparkline('BAC');
  expect(points).toHaveLength(48);
  expect([points[0], points.at(-1)]).toEqual([100_000, 100_389]);
});
