import { useMemo, useState } from 'react';
import type { Difference } from '../contract.ts';
import { clockTime, count, price, type Zone, zoneName } from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { ActionBadge } from './action-badge.tsx';
import { ModelName } from './models-panel.tsx';
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
  const hold = useHold(newest);
  const models = live.overview?.models.map(({ model }) => model) ?? [];
  const waiting = hold.held === null ? 0 : countNew(newest, hold.held);

  return (
    <section className="panel differences" aria-labelledby="differences-title">
      <header className="panel-head">
        <h2 id="differences-title">Where the versions differ</h2>
        <p className="muted">
          <span data-testid="difference-count">{count(total)}</span> of {count(compared)} decided trades
          {waiting > 0 && <span className="tag">{waiting} new, list held</span>}
        </p>
      </header>
      {hold.list.length === 0 ? (
        <p className="empty">{emptyText(live)}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className="scroll" tabIndex={0} aria-label="Differences, newest first, scrollable" {...hold.handlers}>
          <table>
            <thead>
              <tr>
                <th scope="col" className="text">
                  Time
                </th>
                <th scope="col" className="text">
                  Symbol
                </th>
                <th scope="col" className="number narrow-hidden">
                  Price
                </th>
                {models.map((model, index) => (
                  <th key={model} scope="col" className="text">
                    <ModelName model={model} index={index} />
                  </th>
                ))}
                <th scope="col">
                  <span className="visually-hidden">Explanation</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {hold.list.map((difference) => (
                <tr key={difference.id} data-testid="difference-row">
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
                  <td className="number narrow-hidden">{price(difference.priceE4)}</td>
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
                      onClick={() => setAsked(difference)}
                    >
                      Why?
                      <span className="visually-hidden">
                        {' '}
                        {difference.symbol} at {clockTime(difference.eventTimeMs, zone)}
                      </span>
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {asked !== null && <WhyDialog difference={asked} zone={zone} onClose={() => setAsked(null)} />}
    </section>
  );
}

/** While somebody points at the list or moves in it by keyboard, it stands still: nobody should miss a button. */
function useHold(newest: readonly Difference[]) {
  const [held, setHeld] = useState<readonly Difference[] | null>(null);
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const update = (isPointed: boolean, isFocused: boolean) => {
    setPointed(isPointed);
    setFocused(isFocused);
    setHeld((before) => (isPointed || isFocused ? (before ?? newest) : null));
  };
  return {
    held,
    list: held ?? newest,
    handlers: {
      onPointerEnter: () => update(true, focused),
      onPointerLeave: () => update(false, focused),
      onFocus: () => update(pointed, true),
      onBlur: (event: React.FocusEvent) => update(pointed, event.currentTarget.contains(event.relatedTarget)),
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
