import type { Outcome } from '../outcome.ts';
import { checkedSnapshotName } from '../snapshot-name.ts';
import type { System } from '../system.ts';

export async function restoreSnapshot(options: { name: string; volume?: string }, system: System): Promise<Outcome> {
  const name = checkedSnapshotName(options.name);
  const volume = await system.restoreSnapshot(name, options.volume);
  return {
    text: `Restored volume ${volume} from ${name}. The snapshot stays.`,
    json: { restored: volume, from: name },
    exitStatus: 0,
    next: 'volume list',
  };
}
