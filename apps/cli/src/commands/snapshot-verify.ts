import type { SnapshotVerification } from '@tickfold/log-engine';
import type { Outcome } from '../outcome.ts';
import { countOf } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

export async function verifySnapshot(options: { name: string }, system: System): Promise<Outcome> {
  const found = await system.verifySnapshot(checkedSnapshotName(options.name));
  return {
    text: describe(found),
    json: found,
    exitStatus: found.damages.length === 0 ? 0 : 1,
  };
}

function describe({ manifest, segments, batches, files, unhashedFiles, damages }: SnapshotVerification): string {
  const { name } = manifest;
  const read = [countOf(segments, 'segment'), countOf(batches, 'batch', 'batches'), countOf(files, 'file')].join(', ');
  if (damages.length > 0) {
    const rows = table(damages, [
      { title: 'Path', value: ({ path }) => path },
      { title: 'Damage', value: ({ detail }) => detail },
    ]);
    return `${name} is damaged: ${countOf(damages.length, 'place')}. Whole are: ${read}.\n\n${rows}`;
  }
  const unhashed = countOf(unhashedFiles, 'file has', 'files have');
  const rest = unhashedFiles === 0 ? '' : ` ${unhashed} no hash yet: of these only the size was compared.`;
  return `${name} is whole: ${read}.${rest}`;
}
