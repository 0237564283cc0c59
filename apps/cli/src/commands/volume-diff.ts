import type { VolumeDiff } from '@tickfold/evaluation';
import type { Outcome } from '../outcome.ts';
import type { System } from '../system.ts';

/** Status 1 where the two differ. */
export async function diffOf({ a, b }: { a: string; b: string }, system: System): Promise<Outcome> {
  const { diff, description } = await system.diff(a, b);
  return { text: description.trimEnd(), json: diff, exitStatus: diff.equal ? 0 : 1, next: nextStep(diff) };
}

/** Only versions can be promoted: other parameters become a version of their own first, or are set where it starts. */
function nextStep({ b, equal, profit }: VolumeDiff): string {
  return !equal && profit !== null && b.model !== null ? `model promote ${b.model}` : 'volume list';
}
