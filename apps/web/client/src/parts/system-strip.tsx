import type { Overview, Service, Stage } from '../contract.ts';
import { clockTime, count, delay, duration, UNKNOWN, type Zone, zoneName } from '../format.ts';

const STATES: Record<Service['state'], { text: string; mark: string }> = {
  starting: { text: 'starting', mark: '○' },
  up: { text: 'ok', mark: '●' },
  'not-ready': { text: 'not ready', mark: '◐' },
  down: { text: 'down', mark: '✕' },
};

/** The way of a tick, left to right: each process, how it is, and how far it is behind its input. */
export function SystemStrip({ overview, isStale, zone }: { overview: Overview | null; isStale: boolean; zone: Zone }) {
  return (
    <section className={isStale ? 'system stale' : 'system'} aria-labelledby="system-title">
      <h2 id="system-title">System</h2>
      {overview === null ? (
        <p className="muted">Waiting for the web app…</p>
      ) : (
        <ol className="services">
          {overview.services.map((service) => (
            <ServiceCard
              key={service.name}
              service={service}
              stage={overview.stages.find(({ name }) => name === service.name || name === service.status.model)}
            />
          ))}
        </ol>
      )}
      {overview !== null && <Behind overview={overview} zone={zone} />}
    </section>
  );
}

function ServiceCard({ service, stage }: { service: Service; stage: Stage | undefined }) {
  const { text, mark } = STATES[service.state];
  return (
    <li className={`service ${service.state}`} data-testid={`service-${service.name}`}>
      <p className="service-name">
        <span className="state-mark" aria-hidden="true">
          {mark}
        </span>
        <strong>{service.name}</strong>
        <span className="service-state">{text}</span>
      </p>
      <p className="service-detail" title={service.detail ?? ''}>
        {stage && service.state === 'up' ? <StageLag stage={stage} /> : detailText(service)}
      </p>
      {service.restartCount > 0 && (
        <p className="service-restart">
          restarted{service.restartCount > 1 ? ` ${service.restartCount}×` : ''}
          {service.restartedAtMs !== null && `, ${duration(Date.now() - service.restartedAtMs)} ago`}
        </p>
      )}
    </li>
  );
}

/** A detail that only repeats the state gives way to how long the process has been up. */
function detailText({ state, detail, startedAtMs }: Service): string {
  if (state === 'up' && (detail === null || detail === 'ok') && startedAtMs !== null) {
    return `up for ${duration(Date.now() - startedAtMs)}`;
  }
  return detail ?? UNKNOWN;
}

/**
 * Zero and unknown are told apart: nobody should read "caught up" where nothing is known. The time is that of the lag at
 * the rate at which records come in.
 */
function StageLag({ stage }: { stage: Stage }) {
  if (stage.lag === null) return <>lag unknown</>;
  if (stage.lag === 0) return <>caught up</>;
  return (
    <>
      {count(stage.lag)} behind{stage.ratePerSecond ? ` (${delay(stage.lag / stage.ratePerSecond)})` : ''}
    </>
  );
}

function Behind({ overview, zone }: { overview: Overview; zone: Zone }) {
  const { shownEventTimeMs, latestEventTimeMs } = overview.clock;
  const { trades, quotes, offers, symbols, withoutHistory } = overview.totals;
  return (
    <p className="system-line">
      <span>
        {count(trades)} trades · {count(quotes)} quotes · {count(offers)} offers · {count(symbols)} symbols
      </span>
      {withoutHistory > 0 && <span>{count(withoutHistory)} ticks of symbols without history</span>}
      {(overview.feed.malformedLines ?? 0) > 0 && (
        <span>{count(overview.feed.malformedLines)} malformed lines in market.dead-letter</span>
      )}
      {shownEventTimeMs !== null && latestEventTimeMs !== null && (
        <span>
          {latestEventTimeMs <= shownEventTimeMs
            ? 'This page shows the newest tick'
            : `This page is ${duration(latestEventTimeMs - shownEventTimeMs)} of event time behind ingest (${clockTime(latestEventTimeMs, zone)} ${zoneName(latestEventTimeMs, zone)})`}
        </span>
      )}
      {overview.feed.description !== null && <span className="source">Source: {overview.feed.description}</span>}
    </p>
  );
}
