import type { Outcome } from '../outcome.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import type { System } from '../system.ts';

export async function deleteSnapshot(options: { name: string }, system: System): Promise<Outcome> {
  const name = checkedSnapshotName(options.name);
  await system.deleteSnapshot(name);
  return { text: `Deleted ${name}.`, json: { deleted: name }, exitStatus: 0, next: 'snapshot list' };
}
