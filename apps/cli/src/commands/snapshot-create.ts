import type { SnapshotInfo } from '@tickfold/stream';
import type { Outcome } from '../outcome.ts';
import { describePins } from '../pins.ts';
import { countOf, formatBytes, formatCount } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import { recordsOf } from '../snapshot-size.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

export async function createSnapshot(options: { name: string }, system: System): Promise<Outcome> {
  const snapshot = await system.createSnapshot(checkedSnapshotName(options.name));
  return {
    text: describe(snapshot),
    json: snapshot,
    exitStatus: 0,
    next: `model replay reversion-2 --from ${snapshot.name} --into try-1`,
  };
}

function describe(snapshot: SnapshotInfo): string {
  const { name, topics, files, sizeBytes } = snapshot;
  const records = topics.reduce((sum, topic) => sum + recordsOf(topic), 0);
  const content = [countOf(records, 'record'), countOf(files.length, 'file'), formatBytes(sizeBytes)];
  return [
    `Froze ${name}: ${content.join(', ')}.`,
    table(topics, [
      { title: 'Topic', value: (topic) => topic.name },
      { title: 'Records', value: (topic) => formatCount(recordsOf(topic)), align: 'right' },
    ]),
    describePins(snapshot.pins),
  ].join('\n\n');
}
