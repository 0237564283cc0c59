import { describeOffsets } from '../offsets.ts';
import type { Outcome } from '../outcome.ts';
import { formatWallClock } from '../quantities.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

export async function audit(system: System): Promise<Outcome> {
  const promotions = await system.promotions();
  const text = table(promotions, [
    { title: 'When', value: ({ atMs }) => formatWallClock(atMs) },
    { title: 'What', value: ({ action }) => action },
    { title: 'Champion', value: ({ champion }) => champion },
    { title: 'Before', value: ({ previous }) => previous ?? '' },
    { title: 'By', value: ({ by }) => by },
    { title: 'From offset', value: ({ fromInput, reason }) => reason ?? describeOffsets(fromInput) },
  ]);
  return {
    text: promotions.length === 0 ? 'Nobody has been champion yet.' : text,
    json: promotions,
    exitStatus: 0,
    next: promotions.length === 0 ? 'model list' : 'volume list',
  };
}
