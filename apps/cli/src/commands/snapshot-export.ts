import type { Outcome } from '../outcome.ts';
import { formatBytes } from '../quantities.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import type { System } from '../system.ts';

export async function exportSnapshot(options: { name: string; file: string }, system: System): Promise<Outcome> {
  const archive = await system.exportSnapshot(checkedSnapshotName(options.name), options.file);
  return {
    text: `Exported ${archive.manifest.name} to ${archive.path}: ${formatBytes(archive.sizeBytes)}.`,
    json: archive,
    exitStatus: 0,
    next: `snapshot import ${options.file}`,
  };
}
