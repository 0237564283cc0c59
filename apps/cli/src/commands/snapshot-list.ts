import type { MarketPins } from '@tickfold/evaluation';
import { replayOf } from '../next-replay.ts';
import type { Outcome } from '../outcome.ts';
import { formatBytes, formatCount, formatWallClock } from '../quantities.ts';
import { recordsOf } from '../snapshot-size.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

export async function listSnapshots(system: System): Promise<Outcome> {
  const snapshots = await system.snapshots();
  const newest = snapshots.findLast(({ volume }) => volume === 'market');
  const text = table(snapshots, [
    { title: 'Snapshot', value: ({ name }) => name },
    { title: 'Taken', value: ({ createdAtMs }) => formatWallClock(createdAtMs) },
    {
      title: 'Records',
      value: ({ topics }) => formatCount(topics.reduce((sum, topic) => sum + recordsOf(topic), 0)),
      align: 'right',
    },
    { title: 'Size', value: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
    { title: 'Enrichment', value: ({ pins }) => (pins as Partial<MarketPins>).enrichment?.code ?? '' },
    { title: 'Live models', value: ({ pins }) => Object.keys((pins as Partial<MarketPins>).models ?? {}).join(', ') },
  ]);
  return {
    text: snapshots.length === 0 ? 'There is no snapshot yet.' : text,
    json: snapshots,
    exitStatus: 0,
    next: newest === undefined ? 'snapshot create market@open' : await replayOf(newest.name, system),
  };
}
