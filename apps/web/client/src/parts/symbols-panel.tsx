import { memo, useMemo, useState } from 'react';
import { Sparkline } from '../charts/sparkline.tsx';
import type { SymbolRow } from '../contract.ts';
import { changePercent, compact, count, deviations, multiple } from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { type SortKey, sortRows } from '../sort-rows.ts';
import { Change } from './change.tsx';
import { ColumnPrice } from './price.tsx';
import { moveBetweenRows } from './row-keys.ts';

const COLUMNS: { key: SortKey; label: string; title: string; className: string }[] = [
  { key: 'symbol', label: 'Symbol', title: 'Symbol', className: 'text column-symbol' },
  { key: 'last', label: 'Last', title: 'Price of the last trade, USD', className: 'number column-price of-prices' },
  { key: 'change', label: 'Change', title: 'Last trade against the previous close', className: 'number' },
  { key: 'volume', label: 'Volume', title: 'Shares traded in this session', className: 'number' },
  {
    key: 'relativeVolume',
    label: 'Rel. vol.',
    title: 'Volume so far over the 20-session average of a whole session',
    className: 'number wide-only',
  },
  {
    key: 'vwapDeviation',
    label: 'VWAP, sd',
    title: 'Last trade from the 20-session VWAP, in standard deviations (sd)',
    className: 'number wide-only',
  },
];

export function SymbolsPanel({
  live,
  selected,
  onSelect,
}: {
  live: LiveState;
  selected: string | null;
  onSelect: (symbol: string) => void;
}) {
  const [sort, setSort] = useState<{ key: SortKey; descending: boolean }>({ key: 'activity', descending: true });
  const offersOnly = live.overview?.feed.offersOnly ?? false;
  const rows = useMemo(
    () =>
      sortRows(
        live.ranking.flatMap((symbol) => live.rows.get(symbol) ?? []),
        sort,
      ),
    [live.ranking, live.rows, sort],
  );

  const first = rows[0]?.symbol;
  const tabStop = rows.some(({ symbol }) => symbol === selected) ? selected : first;

  return (
    <section className="panel symbols" aria-labelledby="symbols-title">
      <header className="panel-head">
        <h2 id="symbols-title">Most active symbols</h2>
        <p className="muted">
          {rows.length > 0 && `${rows.length} of ${count(live.overview?.totals.symbols ?? rows.length)}`}
        </p>
      </header>
      {rows.length === 0 ? (
        <p className="empty">{live.overview === null ? 'Loading…' : 'No tick has arrived yet.'}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className="scroll" tabIndex={0} aria-label="Symbols, scrollable" onKeyDown={moveBetweenRows}>
          <table>
            <thead>
              <tr>
                {COLUMNS.map(({ key, label, title, className }) => (
                  <th
                    key={key}
                    scope="col"
                    className={className}
                    aria-sort={sort.key === key ? (sort.descending ? 'descending' : 'ascending') : undefined}
                  >
                    <button
                      type="button"
                      className="sort"
                      title={title}
                      onClick={() =>
                        setSort({ key, descending: sort.key === key ? !sort.descending : key !== 'symbol' })
                      }
                    >
                      {offersOnly && key === 'last' ? 'Last offer' : offersOnly && key === 'volume' ? 'Offers' : label}
                      <span aria-hidden="true" className="sort-mark">
                        {sort.key === key ? (sort.descending ? '↓' : '↑') : ''}
                      </span>
                    </button>
                  </th>
                ))}
                <th scope="col" className="trend column-trend">
                  Session
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row
                  key={row.symbol}
                  row={row}
                  points={live.sparklines[row.symbol]}
                  offersOnly={offersOnly}
                  selected={row.symbol === selected}
                  isTabStop={row.symbol === tabStop}
                  onSelect={onSelect}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

/** Drawn again only when its own row changed. */
const Row = memo(function Row({
  row,
  points,
  offersOnly,
  selected,
  isTabStop,
  onSelect,
}: {
  row: SymbolRow;
  points: readonly number[] | undefined;
  offersOnly: boolean;
  selected: boolean;
  /** One row is reached by Tab, the others from there by arrow keys. */
  isTabStop: boolean;
  onSelect: (symbol: string) => void;
}) {
  return (
    <tr
      data-testid={`symbol-row-${row.symbol}`}
      className={selected ? 'selected' : ''}
      onClick={() => onSelect(row.symbol)}
    >
      <th scope="row" className="text">
        <button
          type="button"
          className="symbol-button"
          aria-pressed={selected}
          tabIndex={isTabStop ? 0 : -1}
          onClick={() => onSelect(row.symbol)}
        >
          {row.symbol}
        </button>
      </th>
      <td className="number strong">
        <ColumnPrice priceE4={offersOnly ? row.lastOfferE4 : row.lastPriceE4} />
      </td>
      <td className="number">
        <Change value={row.changeBps} text={changePercent(row.changeBps)} />
      </td>
      <td className="number">{compact(offersOnly ? row.offerCount : row.volume)}</td>
      <td className="number wide-only">{multiple(row.relativeVolume)}</td>
      <td className="number wide-only">{deviations(row.vwapDeviation)}</td>
      <td className="trend">
        <Sparkline points={points} rising={(row.changeBps ?? 0) >= 0} />
      </td>
    </tr>
  );
});
