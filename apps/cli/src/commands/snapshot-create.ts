import type { SnapshotInfo } from '@tickfold/stream';
import { replayOf } from '../next-replay.ts';
import type { Outcome } from '../outcome.ts';
import { describePins } from '../pins.ts';
import { countOf, formatBytes, formatCount } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import { recordsOf } from '../snapshot-size.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

/** The volume whose snapshots hold the models' input. */
const MARKET = 'market';

export async function createSnapshot(options: { name: string; with?: string[] }, system: System): Promise<Outcome> {
  const snapshot = await system.createSnapshot(checkedSnapshotName(options.name), options.with ?? []);
  return {
    text: describe(snapshot),
    json: snapshot,
    exitStatus: 0,
    next: snapshot.volume === MARKET ? await replayOf(snapshot.name, system) : 'snapshot list',
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
