import type { HistoricDay, MinuteBar, SymbolDetail } from '../contract.ts';

/** A candle as the chart takes it: UTC seconds and USD. */
export interface Candle {
  timeS: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

export interface Level {
  price: number;
  title: string;
  kind: 'close' | 'mean' | 'band';
}

const usd = (priceE4: number): number => priceE4 / 10_000;

/** A level that is computed rather than traded says no more than cents. */
const cents = (priceE4: number): number => Math.round(priceE4 / 100) / 100;

type Prices = Pick<MinuteBar, 'openE4' | 'highE4' | 'lowE4' | 'closeE4' | 'volume'>;

function candle(timeMs: number, { openE4, highE4, lowE4, closeE4, volume }: Prices): Candle {
  return { timeS: timeMs / 1_000, open: usd(openE4), high: usd(highE4), low: usd(lowE4), close: usd(closeE4), volume };
}

export function minuteCandles(bars: readonly MinuteBar[]): Candle[] {
  return bars.map((bar) => candle(bar.startMs, bar));
}

/** The sessions before, and today's as it stands so far. */
export function dailyCandles(
  days: readonly HistoricDay[],
  today: { date: string | null; bars: readonly MinuteBar[] },
): Candle[] {
  const candles = days.map((day) => candle(Date.parse(day.date), day));
  const [first] = today.bars;
  const last = today.bars.at(-1);
  if (today.date === null || !first || !last) return candles;
  const sofar: Prices = {
    openE4: first.openE4,
    highE4: Math.max(...today.bars.map(({ highE4 }) => highE4)),
    lowE4: Math.min(...today.bars.map(({ lowE4 }) => lowE4)),
    closeE4: last.closeE4,
    volume: today.bars.reduce((total, { volume }) => total + volume, 0),
  };
  return [...candles, candle(Date.parse(today.date), sofar)];
}

/** What history says about today's price: previous close, 20-session VWAP, and one standard deviation around it. */
export function historyLevels(history: SymbolDetail['history']): Level[] {
  const { previousCloseE4, vwapE4, standardDeviationE4 } = history;
  const levels: Level[] = [];
  if (previousCloseE4 !== null) levels.push({ price: usd(previousCloseE4), title: 'Prev. close', kind: 'close' });
  if (vwapE4 !== null) {
    levels.push({ price: cents(vwapE4), title: 'VWAP 20', kind: 'mean' });
    if (standardDeviationE4 !== null) {
      levels.push({ price: cents(vwapE4 + standardDeviationE4), title: '+1 sd', kind: 'band' });
      levels.push({ price: cents(vwapE4 - standardDeviationE4), title: '−1 sd', kind: 'band' });
    }
  }
  return levels;
}

/** Bars with newer ones laid over: both ascend, and from the first of `newer` on only those hold. */
export function mergeBars(bars: readonly MinuteBar[], newer: readonly MinuteBar[]): MinuteBar[] {
  const [first] = newer;
  if (!first) return [...bars];
  return [...bars.filter(({ startMs }) => startMs < first.startMs), ...newer];
}
