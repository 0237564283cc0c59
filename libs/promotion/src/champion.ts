import type { Promotion } from '@tickfold/market';

/** Who decides, as the audit stream tells it. */
export interface Champion {
  /** Null while nobody was made champion yet. */
  champion: string | null;
  /** Champion before; null for the first. */
  previous: string | null;
  /** Champion after a rollback; null where there is no promotion to undo. */
  rollsBackTo: string | null;
}

/**
 * Folds the audit stream, oldest first. A rollback undoes the latest promotion that is not undone yet: promoted twice,
 * rolled back twice. Refusals change nothing. Where a volume's quota removed the beginning of the stream, its last
 * record still says who is champion, and only promotions that are still there can be undone.
 */
export function championOf(promotions: readonly Promotion[]): Champion {
  let champion: string | null = null;
  let previous: string | null = null;
  let undo: string[] = [];
  for (const promotion of promotions) {
    if (promotion.action === 'refused') continue;
    if (promotion.action === 'initial') undo = [];
    if (promotion.action === 'promote' && promotion.previous !== null) undo.push(promotion.previous);
    if (promotion.action === 'rollback') undo.pop();
    champion = promotion.champion;
    previous = promotion.previous;
  }
  return { champion, previous, rollsBackTo: undo.at(-1) ?? null };
}
