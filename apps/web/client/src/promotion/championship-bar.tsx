import { useRef, useState } from 'react';
import type { Championship, Promotion } from '../contract.ts';
import { momentText, type Zone } from '../format.ts';
import { type Resource, useResource } from '../live/use-resource.ts';
import { ConfirmChange } from './confirm-change.tsx';
import { type Change, doneText, fromInputText, promotionText } from './promotion-texts.ts';

/**
 * Who is champion, the way back, and the audit stream.
 *
 * @param champion as the live frames tell it
 * @param asked a promotion that waits to be confirmed
 */
export function ChampionshipBar({
  champion,
  connection,
  zone,
  asked,
  onAsk,
}: {
  champion: string | null;
  connection: string;
  zone: Zone;
  asked: Change | null;
  onAsk: (change: Change | null) => void;
}) {
  const [answers, setAnswers] = useState(0);
  const [outcome, setOutcome] = useState<Change | null>(null);
  const summary = useRef<HTMLElement>(null);
  const resource = useResource<Championship>('/api/championship', `${champion} ${connection} ${answers}`);
  const rollsBackTo = resource.state === 'ready' ? resource.value.rollsBackTo : null;

  const text = outcome !== null && outcome.model === champion ? doneText(outcome) : championText(champion);

  return (
    <div className="championship">
      <details
        className="audit"
        data-testid="audit-panel"
        onToggle={({ currentTarget }) => currentTarget.open && currentTarget.scrollIntoView({ block: 'nearest' })}
      >
        <summary ref={summary}>
          {text} <span className="muted">Who was it before?</span>
        </summary>
        <Audit resource={resource} zone={zone} />
      </details>
      <p className="visually-hidden" role="status" data-testid="championship-status">
        {outcome !== null && text}
      </p>
      {rollsBackTo === null && (
        <span id="no-rollback" className="muted">
          {noRollbackText(resource)}
        </span>
      )}
      <button
        type="button"
        className="button"
        data-testid="rollback-button"
        aria-haspopup="dialog"
        aria-describedby={rollsBackTo === null ? 'no-rollback' : undefined}
        disabled={rollsBackTo === null}
        onClick={() => rollsBackTo !== null && onAsk({ action: 'rollback', model: rollsBackTo })}
      >
        Roll back{rollsBackTo !== null && ` to ${rollsBackTo}`}
      </button>
      {asked !== null && (
        <ConfirmChange
          change={asked}
          champion={champion}
          onDone={(change) => {
            setOutcome(change);
            setAnswers((count) => count + 1);
          }}
          onClose={(isDone) => {
            onAsk(null);
            // The button that opened the dialog goes away: a champion cannot be promoted.
            if (isDone) summary.current?.focus();
          }}
        />
      )}
    </div>
  );
}

function championText(champion: string | null): string {
  return champion === null ? 'No champion yet: nothing has been decided.' : `${champion} decides for live.decisions.`;
}

function noRollbackText(resource: Resource<Championship>): string {
  switch (resource.state) {
    case 'loading':
      return 'Loading…';
    case 'failed':
      return resource.reason;
    case 'ready':
      return 'No promotion to undo.';
  }
}

function Audit({ resource, zone }: { resource: Resource<Championship>; zone: Zone }) {
  if (resource.state === 'loading') return <p className="note">Loading…</p>;
  if (resource.state === 'failed') return <p className="note problem">{resource.reason}</p>;
  if (resource.value.audit.length === 0)
    return <p className="note">Nothing has been written to live.promotions yet.</p>;
  return (
    <ol className="audit-list" data-testid="audit-list">
      {resource.value.audit.map((promotion) => (
        <AuditRow
          key={`${promotion.atMs} ${promotion.action} ${promotion.champion}`}
          promotion={promotion}
          zone={zone}
        />
      ))}
    </ol>
  );
}

function AuditRow({ promotion, zone }: { promotion: Promotion; zone: Zone }) {
  const { atMs, by, fromInput } = promotion;
  const places = fromInputText(fromInput);
  return (
    <li data-testid="audit-row">
      <strong>{promotionText(promotion)}</strong>
      <span className="muted">
        <time dateTime={new Date(atMs).toISOString()}>{momentText(atMs, zone)}</time>, by {by}
        {places !== null && `, ${places}`}
      </span>
    </li>
  );
}
