import type { Clock, Overview } from '../contract.ts';
import { feedLabel, speedText } from '../feed-label.ts';
import { clockTime, count, dateText, UNKNOWN, type Zone, zoneName } from '../format.ts';
import type { Connection } from '../live/live-state.ts';
import { Navigation } from './navigation.tsx';

const CONNECTIONS: Record<Connection, { text: string; mark: string }> = {
  connecting: { text: 'Connecting', mark: '○' },
  open: { text: 'Live', mark: '●' },
  lost: { text: 'Connection lost', mark: '✕' },
};

const PHASES: Record<NonNullable<Clock['phase']>, string> = {
  'pre-market': 'Pre-market',
  regular: 'Regular session',
  'post-market': 'After hours',
  closed: 'Market closed',
};

export function Header({
  overview,
  connection,
  zone,
  onZone,
}: {
  overview: Overview | null;
  connection: Connection;
  zone: Zone;
  onZone: (zone: Zone) => void;
}) {
  const label = feedLabel(overview?.feed);
  const { text, mark } = CONNECTIONS[connection];
  return (
    <header className="header">
      <div className="brand">
        <img src="/icon.svg" width="26" height="26" alt="" />
        <h1>Tickfold</h1>
        <span className={`badge ${label.kind}`} data-testid="feed-badge" title={overview?.feed.description ?? ''}>
          {label.text}
        </span>
      </div>
      <Navigation />
      <SessionClock overview={overview} zone={zone} onZone={onZone} />
      <dl className="meters">
        <div>
          <dt>Ticks/s</dt>
          <dd data-testid="tick-rate">{rateText(overview?.ticksPerSecond ?? null)}</dd>
        </div>
        <div>
          <dt>Ticks</dt>
          <dd data-testid="tick-count">{count(overview?.totals.ticks ?? null)}</dd>
        </div>
        <div>
          <dt>Page</dt>
          <dd className={`connection ${connection}`} data-testid="connection">
            <span aria-hidden="true">{mark}</span> {text}
          </dd>
        </div>
      </dl>
    </header>
  );
}

function rateText(rate: number | null): string {
  return rate === null ? UNKNOWN : count(Math.round(rate));
}

function SessionClock({
  overview,
  zone,
  onZone,
}: {
  overview: Overview | null;
  zone: Zone;
  onZone: (zone: Zone) => void;
}) {
  const timeMs = overview?.clock.shownEventTimeMs ?? null;
  const phase = overview?.clock.phase ?? null;
  const speed = speedText(overview?.feed);
  return (
    <div className="session-clock">
      <p className="clock" data-testid="clock">
        {timeMs === null ? (
          <span className="muted">Waiting for the first tick</span>
        ) : (
          <time dateTime={new Date(timeMs).toISOString()}>
            {clockTime(timeMs, zone)} <abbr>{zoneName(timeMs, zone)}</abbr>
          </time>
        )}
      </p>
      <p className="session-line">
        {timeMs !== null && <span>{dateText(timeMs, zone)}</span>}
        {overview?.feed.complete ? (
          <span className="phase" data-testid="session-complete">
            Session complete
          </span>
        ) : (
          phase !== null && <span className="phase">{PHASES[phase]}</span>
        )}
        {speed !== null && <span>{speed}</span>}
      </p>
      <fieldset className="segments">
        <legend className="visually-hidden">Time zone of all times</legend>
        {(['new-york', 'utc'] as const).map((option) => (
          <button key={option} type="button" aria-pressed={zone === option} onClick={() => onZone(option)}>
            {option === 'utc' ? 'UTC' : 'New York'}
          </button>
        ))}
      </fieldset>
    </div>
  );
}
