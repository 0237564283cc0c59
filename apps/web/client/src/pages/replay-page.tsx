import { memo, useState } from 'react';
import type { ModelDescription, Snapshot, Volume } from '../contract.ts';
import type { Zone } from '../format.ts';
import { useResource } from '../live/use-resource.ts';
import { ReplayForm } from '../replay/replay-form.tsx';
import { SnapshotsPanel } from '../replay/snapshots-panel.tsx';
import { VolumesPanel } from '../replay/volumes-panel.tsx';
import { Page } from './page.tsx';

/** What is frozen, what a version makes of it with other parameters, and which volumes to compare. */
export const ReplayPage = memo(function ReplayPage({ zone }: { zone: Zone }) {
  const [changes, setChanges] = useState(0);
  const [replayed, setReplayed] = useState<{ model: string; volume: string } | null>(null);
  const snapshots = useResource<Snapshot[]>('/api/snapshots', changes);
  const volumes = useResource<Volume[]>('/api/volumes', changes);
  const models = useResource<ModelDescription[]>('/api/models');
  const reload = () => setChanges((count) => count + 1);

  return (
    <Page title="Replay & compare" className="page replay-page">
      <SnapshotsPanel snapshots={snapshots} zone={zone} onFrozen={reload} />
      <ReplayForm
        snapshots={snapshots}
        models={models}
        volumes={volumes}
        onReplayed={(model, volume) => {
          setReplayed({ model, volume });
          reload();
        }}
        onCancelled={reload}
      />
      <VolumesPanel volumes={volumes} snapshots={snapshots} replayed={replayed} />
    </Page>
  );
});
