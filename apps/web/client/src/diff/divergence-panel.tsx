import { type Divergence, type DivergentSide, describeKind } from '@tickfold/evaluation/browser';
import { dateText, preciseTime, type Zone, zoneName } from '../format.ts';
import { ActionBadge } from '../parts/action-badge.tsx';
import { Values } from '../parts/values.tsx';
import { sharedValues, stateValues } from './divergence-values.ts';

/** One tick: what both could see, what each knew, and why each decided as it did. */
export function DivergencePanel({
  title,
  testId,
  divergence,
  zone,
}: {
  title: string;
  testId: string;
  divergence: Divergence;
  zone: Zone;
}) {
  const { kind, symbol, eventTimeMs, a, b } = divergence;
  return (
    <section className="panel divergence" aria-labelledby={`${testId}-title`} data-testid={testId}>
      <header className="panel-head">
        <h2 id={`${testId}-title`}>{title}</h2>
        <p className="muted">{describeKind(kind)}</p>
      </header>
      <p className="prose">
        <strong>{symbol}</strong>,{' '}
        <time dateTime={new Date(eventTimeMs).toISOString()}>
          {dateText(eventTimeMs, zone)}, {preciseTime(eventTimeMs, zone)} {zoneName(eventTimeMs, zone)}
        </time>
      </p>
      <div className="sides">
        <SideOfIt letter="A" side={a} />
        <SideOfIt letter="B" side={b} />
      </div>
      <section className="shared">
        <h3>What both saw</h3>
        <Values values={sharedValues(divergence)} />
      </section>
    </section>
  );
}

function SideOfIt({ letter, side: { decision, reason } }: { letter: 'A' | 'B'; side: DivergentSide }) {
  return (
    <section className={`side ${letter === 'A' ? 'model-1' : 'model-2'}`}>
      <h3>
        <span className="side-letter">{letter}</span> <ActionBadge action={decision?.action ?? 'none'} />
      </h3>
      <p className="reason">{reason}</p>
      {decision !== null && <Values values={stateValues(decision)} />}
    </section>
  );
}
