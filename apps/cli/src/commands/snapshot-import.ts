import type { Outcome } from '../outcome.ts';
import { countOf, formatBytes } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import { recordsOf } from '../snapshot-size.ts';
import type { System } from '../system.ts';

export async function importSnapshot(options: { file: string; as?: string }, system: System): Promise<Outcome> {
  const as = options.as === undefined ? undefined : checkedSnapshotName(options.as);
  const manifest = await system.importSnapshot(options.file, as);
  const { name, topics, files, sizeBytes } = manifest;
  const records = topics.reduce((sum, topic) => sum + recordsOf(topic), 0);
  const content = [countOf(records, 'record'), countOf(files.length, 'file'), formatBytes(sizeBytes)].join(', ');
  return {
    text: `Imported ${name}: ${content}.`,
    json: manifest,
    exitStatus: 0,
    next: `snapshot restore ${name}`,
  };
}
