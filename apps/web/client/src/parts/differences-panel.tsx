import { memo, useMemo, useState } from 'react';
import type { Difference } from '../contract.ts';
import { clockTime, count, type Zone, zoneName } from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { ActionBadge } from './action-badge.tsx';
import { ModelName } from './models-panel.tsx';
import { ColumnPrice } from './price.tsx';
import { moveBetweenRows } from './row-keys.ts';
import { WhyDialog } from './why-dialog.tsx';

export function DifferencesPanel({
  live,
  zone,
  onSelectSymbol,
}: {
  live: LiveState;
  zone: Zone;
  onSelectSymbol: (symbol: string) => void;
}) {
  const [asked, setAsked] = useState<Difference | null>(null);
  const { total, compared } = live.differences;
  const newest = useMemo(() => latestFirst(live.differences.newest), [live.differences.newest]);
  const hold = useHold(newest, asked !== null);
  const models = live.overview?.models.map(({ model }) => model) ?? [];
  const waiting = hold.held === null ? 0 : countNew(newest, hold.held);

  return (
    <section className="panel differences" aria-labelledby="differences-title">
      <header className="panel-head">
        <h2 id="differences-title">Where the versions differ</h2>
        <p className="muted">
          <span data-testid="difference-count">{count(total)}</span> of {count(compared)} trades judged
          {waiting > 0 && <span className="tag">{waiting} new, list held</span>}
        </p>
      </header>
      {hold.list.length === 0 ? (
        <p className="empty">{emptyText(live)}</p>
      ) : (
        <section
          className="scroll"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          aria-label="Differences, newest first, scrollable"
          onKeyDown={moveBetweenRows}
          {...hold.handlers}
        >
          <table>
            <thead>
              <tr>
                <th scope="col" className="text column-time">
                  Time
                </th>
                <th scope="col" className="text column-name">
                  Symbol
                </th>
                <th scope="col" className="number narrow-hidden column-paid of-prices">
                  <span className="label">Price</span>
                </th>
                {models.map((model, index) => (
                  <th key={model} scope="col" className="text">
                    <ModelName model={model} index={index} />
                  </th>
                ))}
                <th scope="col" className="column-why">
                  <span className="visually-hidden">Explanation</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {hold.list.map((difference) => (
                <Row
                  key={difference.id}
                  difference={difference}
                  zone={zone}
                  onSelectSymbol={onSelectSymbol}
                  onAsk={setAsked}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {asked !== null && <WhyDialog difference={asked} zone={zone} onClose={() => setAsked(null)} />}
    </section>
  );
}

/** Drawn once: what was decided does not change. */
const Row = memo(function Row({
  difference,
  zone,
  onSelectSymbol,
  onAsk,
}: {
  difference: Difference;
  zone: Zone;
  onSelectSymbol: (symbol: string) => void;
  onAsk: (difference: Difference) => void;
}) {
  return (
    <tr data-testid="difference-row">
      <td className="text time">
        <time dateTime={new Date(difference.eventTimeMs).toISOString()}>
          {clockTime(difference.eventTimeMs, zone)}
          <span className="visually-hidden"> {zoneName(difference.eventTimeMs, zone)}</span>
        </time>
      </td>
      <td className="text">
        <button type="button" className="symbol-button" onClick={() => onSelectSymbol(difference.symbol)}>
          {difference.symbol}
        </button>
      </td>
      <td className="number narrow-hidden">
        <ColumnPrice priceE4={difference.priceE4} />
      </td>
      {difference.sides.map(({ model, action }) => (
        <td key={model} className="text">
          <ActionBadge action={action} />
        </td>
      ))}
      <td className="number">
        <button
          type="button"
          className="button"
          data-testid="why-button"
          aria-haspopup="dialog"
          onClick={() => onAsk(difference)}
        >
          Why?
          <span className="visually-hidden">
            {' '}
            {difference.symbol} at {clockTime(difference.eventTimeMs, zone)}
          </span>
        </button>
      </td>
    </tr>
  );
});

/** While somebody points at the list, moves in it by keyboard or reads an explanation, it stands still. */
function useHold(newest: readonly Difference[], isReading: boolean) {
  const [held, setHeld] = useState<readonly Difference[] | null>(null);
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const holds = pointed || focused || isReading;
  if (holds && held === null) setHeld(newest);
  if (!holds && held !== null) setHeld(null);
  return {
    held,
    list: held ?? newest,
    handlers: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: React.FocusEvent) => setFocused(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}

/** They arrive by partition, and are read by event time. */
function latestFirst(differences: readonly Difference[]): readonly Difference[] {
  return [...differences].sort((a, b) => b.eventTimeMs - a.eventTimeMs);
}

function countNew(newest: readonly Difference[], held: readonly Difference[]): number {
  const known = new Set(held.map(({ id }) => id));
  return newest.filter(({ id }) => !known.has(id)).length;
}

function emptyText({ overview, differences }: LiveState): string {
  if (overview === null) return 'Loading…';
  if (overview.feed.offersOnly) return 'Offers only: models idle.';
  if (differences.compared === 0) return 'No trade has been decided by the versions yet.';
  return 'The versions have agreed on every trade so far.';
}
