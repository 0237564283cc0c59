import { lazy, Suspense, useMemo, useState } from 'react';
import { type Candle, dailyCandles, historyLevels, minuteCandles } from '../charts/candles.ts';
import type { Feed, SymbolDetail } from '../contract.ts';
import { historyStatement } from '../feed-label.ts';
import {
  changePercent,
  compact,
  computedPrice,
  count,
  deviations,
  multiple,
  price,
  UNKNOWN,
  type Zone,
} from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { useSymbol } from '../live/use-symbol.ts';
import { Change } from './change.tsx';

/** Asked for at once, so that it comes while the first frame does; the page is drawn without waiting for it. */
const candleChart = import('../charts/candle-chart.tsx');
const CandleChart = lazy(() => candleChart);

type Span = 'today' | 'sessions';

export function SymbolPanel({ symbol, live, zone }: { symbol: string | null; live: LiveState; zone: Zone }) {
  const row = symbol === null ? undefined : live.rows.get(symbol);
  const epoch = `${live.overview?.clock.sessionDate ?? ''} ${live.connection}`;
  const resource = useSymbol(symbol, row, epoch);
  return (
    <section className="panel symbol" aria-labelledby="symbol-title">
      {resource.state === 'ready' ? (
        <LoadedSymbol detail={resource.value} feed={live.overview?.feed} zone={zone} />
      ) : (
        <>
          <header className="panel-head">
            <h2 id="symbol-title">{symbol ?? 'Symbol'}</h2>
          </header>
          <p className="empty">
            {resource.state === 'failed' ? resource.reason : symbol === null ? 'No symbol yet.' : 'Loading…'}
          </p>
        </>
      )}
    </section>
  );
}

function LoadedSymbol({ detail, feed, zone }: { detail: SymbolDetail; feed: Feed | undefined; zone: Zone }) {
  const [span, setSpan] = useState<Span>('today');
  const { row, bars, history, sessionDate } = detail;
  const candles = useMemo(
    () => (span === 'today' ? minuteCandles(bars) : dailyCandles(history.days, { date: sessionDate, bars })),
    [span, bars, history, sessionDate],
  );
  const levels = useMemo(() => historyLevels(history), [history]);
  return (
    <>
      <header className="panel-head symbol-head">
        <h2 id="symbol-title">{row.symbol}</h2>
        <p className="symbol-price">
          <strong>{price(row.lastPriceE4 ?? row.lastOfferE4)}</strong>{' '}
          {row.tradeCount > 0 || row.lastOfferE4 === null ? (
            <Change value={row.changeBps} text={changePercent(row.changeBps)} />
          ) : (
            <span className="muted">last offer</span>
          )}
        </p>
        <fieldset className="segments">
          <legend className="visually-hidden">Span of the chart</legend>
          <button type="button" aria-pressed={span === 'today'} onClick={() => setSpan('today')}>
            Today
          </button>
          <button type="button" aria-pressed={span === 'sessions'} onClick={() => setSpan('sessions')}>
            20 sessions
          </button>
        </fieldset>
      </header>
      {candles.length === 0 ? (
        <p className="empty chart-place">
          {feed?.offersOnly ? 'Offers make no bars.' : 'No trade of this symbol yet.'}
        </p>
      ) : (
        <div className="chart-place" data-testid="symbol-chart">
          <Suspense fallback={<p className="empty">Loading the chart…</p>}>
            <CandleChart
              key={`${row.symbol} ${span}`}
              candles={candles}
              levels={levels}
              daily={span === 'sessions'}
              zone={zone}
              label={chartLabel(row.symbol, candles, span)}
            />
          </Suspense>
        </div>
      )}
      <dl className="facts">
        <Fact name="Bid / ask" value={`${price(row.bidPriceE4)} / ${price(row.askPriceE4)}`} />
        <Fact name="Previous close" value={price(history.previousCloseE4)} />
        <Fact name="20-session VWAP" value={computedPrice(history.vwapE4)} />
        <Fact
          name="Price from VWAP"
          value={row.vwapDeviation === null ? UNKNOWN : `${deviations(row.vwapDeviation)} sd`}
        />
        <Fact name="Volume" value={count(row.volume)} />
        <Fact name="20-session average" value={compact(history.averageVolume)} />
        <Fact name="Relative volume" value={multiple(row.relativeVolume)} />
        {feed?.offersOnly ? (
          <Fact name="Offers" value={count(row.offerCount)} />
        ) : (
          <Fact name="Trades / quotes" value={`${compact(row.tradeCount)} / ${compact(row.quoteCount)}`} />
        )}
      </dl>
      <p className="note" data-testid="history-statement">
        {historyStatement(feed)}
        {row.tradeCount > 0 &&
          row.quoteCount === 0 &&
          ` No quote of ${row.symbol} has come: no order in it can be filled.`}
      </p>
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function chartLabel(symbol: string, candles: readonly Candle[], span: Span): string {
  const last = candles.at(-1);
  const low = Math.min(...candles.map((candle) => candle.low));
  const high = Math.max(...candles.map((candle) => candle.high));
  const unit = span === 'today' ? 'minutes of this session' : 'sessions';
  return `${symbol}, ${candles.length} ${unit}: between ${low.toFixed(2)} and ${high.toFixed(2)} USD, now ${last?.close.toFixed(2)} USD`;
}
