import type { Snapshot, Volume } from '../contract.ts';
import { byteSize } from '../format.ts';
import type { Resource } from '../live/use-resource.ts';
import { ResourceState } from '../parts/resource-state.tsx';
import { CompareForm } from './compare-form.tsx';
import { inReadingOrder, volumeText } from './volume-texts.ts';

export function VolumesPanel({
  volumes,
  snapshots,
  replayed,
}: {
  volumes: Resource<Volume[]>;
  snapshots: Resource<Snapshot[]>;
  replayed: { model: string; volume: string } | null;
}) {
  return (
    <section className="panel volumes" aria-labelledby="volumes-title">
      <header className="panel-head">
        <h2 id="volumes-title">Volumes</h2>
        <p className="muted">streams, and who wrote them</p>
      </header>
      <ResourceState resource={volumes} />
      {volumes.state === 'ready' && (
        <>
          <div className="panel-part">
            <CompareForm
              key={replayed?.volume}
              volumes={volumes.value}
              snapshots={snapshots.state === 'ready' ? snapshots.value : []}
              replayed={replayed}
            />
          </div>
          <ul className="entries">
            {inReadingOrder(volumes.value).map((volume) => (
              <li key={volume.name} data-testid={`volume-row-${volume.name}`}>
                <p className="entry-head">
                  <strong>{volume.name}</strong>
                  <span className="muted">{byteSize(volume.sizeBytes)}</span>
                </p>
                <p className="muted">{volumeText(volume)}</p>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
