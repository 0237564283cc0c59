import { SizeDistribution, type SymbolReference } from '@tickfold/history';
import type { Offer, Quote, Trade } from '@tickfold/market';
import { describe, expect, test } from 'vitest';
import { createEnricher } from './enricher.ts';

/** 10:10 in New York, in the half-hour number 20. */
const MORNING_MS = Date.UTC(2013, 9, 8, 14, 10);
const DAY_MS = 86_400_000;

const tradeSizes = new SizeDistribution();
tradeSizes.add(20, 50, 1);
tradeSizes.add(20, 100, 6);
tradeSizes.add(20, 500, 3);

const reference: SymbolReference = {
  symbol: 'BAC',
  previousCloseE4: 140_000,
  averageVolume20: 1_000,
  sessions: 20,
  vwap20E4: 139_000.5,
  vwapStdE4: 500,
  vwapSessions: 20,
  vwapBasis: 'trades',
  tradeSizes,
};
const enricher = createEnricher(new Map([['BAC', reference]]));

const base = { symbol: 'BAC', eventTimeMs: MORNING_MS, exchange: 'N', condition: '', sequence: 1 };
const trade = (more: Partial<Trade> = {}): Trade => ({ ...base, kind: 'trade', priceE4: 141_400, size: 100, ...more });
const quote = (more: Partial<Quote> = {}): Quote => ({
  ...base,
  ...{ kind: 'quote', bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 },
  ...more,
});
const offer: Offer = { ...base, kind: 'offer', priceE4: 141_400, size: 100, sender: '0001', receivers: ['0002'] };

describe('enrichment', () => {
  test('joins a trade with what history knows of its symbol', () => {
    const enriched = enricher.enrich(enricher.createState(), trade(), 'feed:1');
    expect(enriched).toEqual({
      kind: 'trade',
      symbol: 'BAC',
      eventTimeMs: MORNING_MS,
      source: 'feed:1',
      exchange: 'N',
      priceE4: 141_400,
      size: 100,
      ...{ side: 'none', bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 },
      volumeToday: 100,
      previousCloseE4: 140_000,
      changeBps: expect.closeTo(100),
      averageVolume20: 1_000,
      relativeVolume: 0.1,
      vwap20E4: 139_000.5,
      vwapDeviation: expect.closeTo(4.799),
      sizePercentile: 70,
    });
  });

  test('counts this trade and all before it into the volume of the day', () => {
    const state = enricher.createState();
    const volumes = [100, 250, 1].map((size) => enricher.enrich(state, trade({ size }), 'feed:1').volumeToday);
    expect(volumes).toEqual([100, 350, 351]);
  });

  test('keeps quotes and offers out of the volume', () => {
    const state = enricher.createState();
    enricher.enrich(state, trade(), 'feed:1');
    enricher.enrich(state, quote({ bidPriceE4: 1, bidSize: 900 }), 'feed:2');
    expect(enricher.enrich(state, offer, 'feed:3')).toMatchObject({ volumeToday: 100, relativeVolume: 0.1 });
  });

  test('counts the volume of each symbol and of each partition for itself', () => {
    const state = enricher.createState();
    enricher.enrich(state, trade({ symbol: 'IBM' }), 'feed:1');
    expect(enricher.enrich(state, trade(), 'feed:2').volumeToday).toBe(100);
    expect(enricher.enrich(enricher.createState(), trade(), 'feed:3').volumeToday).toBe(100);
  });

  test('starts the volume anew at midnight in New York, not at midnight UTC', () => {
    const state = enricher.createState();
    const volumeAt = (eventTimeMs: number) => enricher.enrich(state, trade({ eventTimeMs }), 'feed:1').volumeToday;
    const utcMidnightMs = Date.UTC(2013, 9, 9);
    expect(volumeAt(utcMidnightMs - 1)).toBe(100);
    expect(volumeAt(utcMidnightMs)).toBe(200);
    expect(volumeAt(utcMidnightMs + 4 * 3_600_000)).toBe(100);
    expect(volumeAt(MORNING_MS + 2 * DAY_MS)).toBe(100);
  });

  test.each([
    ['bid', { bidPriceE4: 139_900, bidSize: 5 }, { side: 'bid', priceE4: 139_900, size: 5 }],
    ['ask', { askPriceE4: 140_100, askSize: 7 }, { side: 'ask', priceE4: 140_100, size: 7 }],
    [
      'both sides, the bid first',
      { bidPriceE4: 139_900, bidSize: 5, askPriceE4: 140_100, askSize: 7 },
      { side: 'bid', priceE4: 139_900, size: 5, askPriceE4: 140_100 },
    ],
  ])('takes price and size of a quote from what changed: %s', (_, said, expected) => {
    expect(enricher.enrich(enricher.createState(), quote(said), 'feed:1')).toMatchObject(expected);
  });

  test('compares the price of the side that changed', () => {
    const enriched = enricher.enrich(enricher.createState(), quote({ askPriceE4: 140_000, askSize: 100 }), 'feed:1');
    expect(enriched).toMatchObject({ changeBps: 0, sizePercentile: 70 });
  });

  test('gives a quote without a price no features of price and size', () => {
    expect(enricher.enrich(enricher.createState(), quote(), 'feed:1')).toMatchObject({
      side: 'none',
      changeBps: null,
      vwapDeviation: null,
      sizePercentile: null,
      previousCloseE4: 140_000,
    });
  });

  test('gives nulls where history does not know the symbol', () => {
    expect(enricher.hasHistory('IBM')).toBe(false);
    expect(enricher.enrich(enricher.createState(), trade({ symbol: 'IBM' }), 'feed:1')).toMatchObject({
      ...{ previousCloseE4: null, changeBps: null, averageVolume20: null, relativeVolume: null },
      ...{ vwap20E4: null, vwapDeviation: null, sizePercentile: null },
      volumeToday: 100,
    });
  });

  test('gives a null instead of a division by zero', () => {
    const flat = createEnricher(new Map([['BAC', { ...reference, averageVolume20: 0, vwapStdE4: 0 }]]));
    expect(flat.enrich(flat.createState(), trade(), 'feed:1')).toMatchObject({
      relativeVolume: null,
      vwapDeviation: null,
    });
  });
});
