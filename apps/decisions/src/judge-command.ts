import type { PromotionCommand } from '@tickfold/market';
import type { Champion } from '@tickfold/promotion';

/** What becomes of a command: the next champion, or why nothing changes. */
export type Verdict = { action: 'promote' | 'rollback'; champion: string } | { action: 'refused'; reason: string };

/** @param models that run here */
export function judgeCommand(
  command: PromotionCommand,
  { champion, rollsBackTo }: Champion,
  models: readonly string[],
  nowMs: number,
): Verdict {
  if (nowMs > command.expiresAtMs) {
    const lateSeconds = ((nowMs - command.expiresAtMs) / 1000).toFixed(1);
    return refused(`It was found ${lateSeconds} s after it had expired: its sender was told that nothing happened.`);
  }
  const { action } = command;
  const next = action === 'promote' ? command.model : rollsBackTo;
  if (next === null) {
    return refused(action === 'promote' ? 'It names no version.' : 'There is no promotion left to undo.');
  }
  if (next === champion) return refused(`${next} is champion already.`);
  if (!models.includes(next)) return refused(`${next} does not run here. Running: ${models.join(', ')}.`);
  return { action, champion: next };
}

function refused(reason: string): Verdict {
  return { action: 'refused', reason };
}
