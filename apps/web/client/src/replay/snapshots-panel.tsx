import type { Snapshot } from '../contract.ts';
import { momentText, type Zone } from '../format.ts';
import type { Resource } from '../live/use-resource.ts';
import { ResourceState } from '../parts/resource-state.tsx';
import { Values } from '../parts/values.tsx';
import { contentText, FreezeForm } from './freeze-form.tsx';

export function SnapshotsPanel({
  snapshots,
  zone,
  onFrozen,
}: {
  snapshots: Resource<Snapshot[]>;
  zone: Zone;
  onFrozen: () => void;
}) {
  const list = snapshots.state === 'ready' ? [...snapshots.value].sort((a, b) => b.createdAtMs - a.createdAtMs) : [];
  return (
    <section className="panel snapshots" aria-labelledby="snapshots-title">
      <header className="panel-head">
        <h2 id="snapshots-title">Snapshots</h2>
        <p className="muted">what is frozen, and what produced it</p>
      </header>
      <div className="panel-part">
        <FreezeForm onFrozen={onFrozen} />
      </div>
      <ResourceState resource={snapshots} />
      {snapshots.state === 'ready' && list.length === 0 && (
        <p className="empty">Nothing is frozen yet. Freeze the input to replay it.</p>
      )}
      <ul className="entries">
        {list.map((snapshot, index) => (
          <li key={snapshot.id} data-testid={`snapshot-row-${snapshot.name}`}>
            <p className="entry-head">
              <strong>{snapshot.name}</strong>
              <span className="muted">{contentText(snapshot)}</span>
            </p>
            <p className="muted">
              Frozen{' '}
              <time dateTime={new Date(snapshot.createdAtMs).toISOString()}>
                {momentText(snapshot.createdAtMs, zone)}
              </time>{' '}
              (wall clock)
            </p>
            <details open={index === 0}>
              <summary>What it pins</summary>
              <Values values={snapshot.pins} />
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}
