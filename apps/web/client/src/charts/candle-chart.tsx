import {
  type AutoscaleInfo,
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { useEffect, useRef } from 'react';
import { clockTime, minuteTime, price, type Zone, zoneName } from '../format.ts';
import type { Candle, Level } from './candles.ts';
import { type Theme, useTheme } from './theme.ts';

/** Candles with their volume on a canvas, and horizontal levels from history. */
export default function CandleChart({
  candles,
  levels,
  daily,
  zone,
  label,
}: {
  candles: readonly Candle[];
  levels: readonly Level[];
  daily: boolean;
  zone: Zone;
  label: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const parts = useRef<Parts | null>(null);
  const drawn = useRef<readonly Candle[]>([]);
  const theme = useTheme();

  useEffect(() => {
    if (!place.current) return;
    parts.current = createParts(place.current);
    drawn.current = [];
    return () => {
      parts.current?.chart.remove();
      parts.current = null;
    };
  }, []);

  useEffect(() => {
    parts.current?.chart.applyOptions(chartOptions(theme, zone, daily));
    parts.current?.candles.applyOptions(candleOptions(theme));
  }, [theme, zone, daily]);

  useEffect(() => {
    if (!parts.current) return;
    drawCandles(parts.current, drawn.current, candles, theme);
    drawLast(parts.current, candles.at(-1), theme);
    drawn.current = candles;
  }, [candles, theme]);

  useEffect(() => {
    if (!parts.current) return;
    drawLevels(parts.current, levels, theme);
    parts.current.candles.applyOptions({ autoscaleInfoProvider: scaleWithNearLevels(levels) });
  }, [levels, theme]);

  return (
    <figure className="candles">
      <div ref={place} />
      <figcaption className="visually-hidden">{label}</figcaption>
    </figure>
  );
}

interface Parts {
  chart: IChartApi;
  candles: ISeriesApi<'Candlestick'>;
  volume: ISeriesApi<'Histogram'>;
  lines: IPriceLine[];
  /** Price of the last candle, on the axis. */
  last: IPriceLine | undefined;
}

function createParts(place: HTMLElement): Parts {
  const chart = createChart(place, { autoSize: true });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: 'volume',
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  const candles = chart.addSeries(CandlestickSeries, { priceLineVisible: false, lastValueVisible: false });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
  return { chart, candles, volume, lines: [], last: undefined };
}

function chartOptions(theme: Theme, zone: Zone, daily: boolean) {
  const timeMs = (time: Time) => (time as UTCTimestamp) * 1_000;
  const dayText = (time: Time) => new Date(timeMs(time)).toISOString().slice(5, 10);
  return {
    layout: {
      background: { type: ColorType.Solid, color: theme.panel },
      textColor: theme.muted,
      fontFamily: 'system-ui, sans-serif',
      fontSize: 11,
      attributionLogo: true,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: theme.line } },
    rightPriceScale: { borderVisible: false },
    timeScale: {
      borderColor: theme.line,
      timeVisible: !daily,
      secondsVisible: false,
      rightOffset: daily ? 5 : 10,
      tickMarkFormatter: (time: Time) => (daily ? dayText(time) : minuteTime(timeMs(time), zone)),
    },
    localization: {
      timeFormatter: (time: Time) =>
        daily
          ? new Date(timeMs(time)).toISOString().slice(0, 10)
          : `${clockTime(timeMs(time), zone)} ${zoneName(timeMs(time), zone)}`,
    },
    handleScroll: { mouseWheel: false, pressedMouseMove: true, horzTouchDrag: true, vertTouchDrag: false },
    handleScale: { mouseWheel: false, pinch: true, axisPressedMouseMove: true },
  };
}

/** Hollow rises, filled falls, as in any printed candle chart: the direction is told without colour too. */
function candleOptions({ up, down, panel }: Theme) {
  return {
    priceFormat: { type: 'custom', minMove: 0.01, formatter: priceText } as const,
    upColor: panel,
    borderUpColor: up,
    wickUpColor: up,
    downColor: down,
    borderDownColor: down,
    wickDownColor: down,
  };
}

/** As the page writes prices: a trade between two cents is not rounded to one of them. */
const priceText = (usd: number): string => price(Math.round(usd * 10_000));

/** The view begins at or before the middle of the first candle: nobody has zoomed in or moved on. */
const FIRST_IN_VIEW = 0.5;

/** A live candle changes or follows the last one; anything else is drawn anew and brought into view. */
function drawCandles(
  { chart, candles, volume }: Parts,
  before: readonly Candle[],
  now: readonly Candle[],
  theme: Theme,
) {
  const continues = before.length > 0 && now.length >= before.length && now[0]?.timeS === before[0]!.timeS;
  const firstChanged = continues ? before.length - 1 : 0;
  if (continues && now.length - firstChanged < 5) {
    const isWholeInView = (chart.timeScale().getVisibleLogicalRange()?.from ?? 0) <= FIRST_IN_VIEW;
    for (const candle of now.slice(firstChanged)) {
      candles.update(toCandle(candle));
      volume.update(toVolume(candle, theme));
    }
    if (isWholeInView && now.length > before.length) chart.timeScale().fitContent();
    return;
  }
  candles.setData(now.map(toCandle));
  volume.setData(now.map((candle) => toVolume(candle, theme)));
  chart.timeScale().fitContent();
}

const toCandle = ({ timeS, open, high, low, close }: Candle) => ({
  time: timeS as UTCTimestamp,
  open,
  high,
  low,
  close,
});

const toVolume = ({ timeS, volume }: Candle, theme: Theme) => ({
  time: timeS as UTCTimestamp,
  value: volume,
  color: theme.volume,
});

/** A hollow candle has no colour that the library could put on the axis. */
function drawLast(parts: Parts, candle: Candle | undefined, { up, down }: Theme): void {
  if (!candle) return;
  const options = { price: candle.close, color: candle.close >= candle.open ? up : down };
  parts.last ??= parts.candles.createPriceLine({ ...options, lineVisible: false, axisLabelVisible: true, title: '' });
  parts.last.applyOptions(options);
}

/** Levels within one height of the candles are brought into view; farther ones would flatten the candles to a line. */
function scaleWithNearLevels(levels: readonly Level[]) {
  return (candlesOnly: () => AutoscaleInfo | null): AutoscaleInfo | null => {
    const info = candlesOnly();
    const range = info?.priceRange;
    if (!range) return info;
    const span = range.maxValue - range.minValue;
    const near = levels
      .map(({ price }) => price)
      .filter((price) => price > range.minValue - span && price < range.maxValue + span);
    return {
      ...info,
      priceRange: { minValue: Math.min(range.minValue, ...near), maxValue: Math.max(range.maxValue, ...near) },
    };
  };
}

function drawLevels(parts: Parts, levels: readonly Level[], theme: Theme): void {
  for (const line of parts.lines) parts.candles.removePriceLine(line);
  parts.lines = levels.map(({ price, title, kind }) =>
    parts.candles.createPriceLine({
      price,
      title,
      color: kind === 'close' ? theme.text : kind === 'mean' ? theme.accent : theme.muted,
      lineWidth: 1,
      lineStyle: kind === 'close' ? LineStyle.Dashed : kind === 'mean' ? LineStyle.Solid : LineStyle.Dotted,
      axisLabelVisible: true,
    }),
  );
}
