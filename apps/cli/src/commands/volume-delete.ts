import { UserError } from '@tickfold/app-runtime';
import { modelOfVolume } from '@tickfold/market';
import { models } from '@tickfold/models';
import type { Outcome } from '../outcome.ts';
import type { System } from '../system.ts';

/** Every other volume is made from them, or they are whose champion is acted on; `default` is any Kafka client's. */
const KEPT: ReadonlySet<string> = new Set(['market', 'live', 'default']);

/** @throws UserError for a volume that the system itself lives on */
export async function deleteVolume({ name }: { name: string }, system: System): Promise<Outcome> {
  if (KEPT.has(name)) {
    throw new UserError(
      `The volume ${name} is not deleted by itself: the others depend on it.`,
      'npm run clean removes all volumes, while nothing runs.',
    );
  }
  await system.deleteVolume(name, models.has(modelOfVolume(name) ?? ''));
  return { text: `Deleted the volume ${name}.`, json: { deleted: name }, exitStatus: 0, next: 'volume list' };
}
