import type { Promotion } from '../contract.ts';
import { count } from '../format.ts';

/** What somebody is about to do to the champion. */
export type Change = { action: 'promote'; model: string } | { action: 'rollback'; model: string };

/** The question before it, in full: what changes, what does not, and how to undo it. */
export function questionText({ action, model }: Change, champion: string | null) {
  const before = champion === null ? 'what came before stays' : `the decisions of ${champion} before stay as they are`;
  const takesOver =
    `From the next tick of each partition on, the decisions of ${model} go to live.decisions; ${before}. ` +
    'Who asked, when, and from which offset of each partition goes to the audit stream, live.promotions.';
  return action === 'promote'
    ? {
        title: `Promote ${model}?`,
        body: `${takesOver} "Roll back" undoes it in one step.`,
        confirm: `Promote ${model}`,
      }
    : {
        title: `Roll back to ${model}?`,
        body: `${takesOver} The promotion stays in the audit stream, with this one behind it.`,
        confirm: `Roll back to ${model}`,
      };
}

export function doneText({ action, model }: Change): string {
  return action === 'promote' ? `${model} is champion now.` : `Rolled back: ${model} is champion again.`;
}

/** One entry of the audit stream. */
export function promotionText({ action, champion, previous, reason }: Promotion): string {
  switch (action) {
    case 'initial':
      return `${champion} became the first champion`;
    case 'promote':
      return `${champion} was promoted${previous === null ? '' : `; before: ${previous}`}`;
    case 'rollback':
      return `Rolled back to ${champion}${previous === null ? '' : ` from ${previous}`}`;
    case 'refused':
      return `Refused, ${champion} stays champion: ${reason ?? 'no reason was given'}`;
  }
}

/** `from offset 0 of partition 0, 812 of 1`: where in `market.enriched` it begins. */
export function fromInputText(fromInput: readonly number[]): string | null {
  if (fromInput.length === 0) return null;
  const places = fromInput.map((offset, partition) =>
    partition === 0 ? `${count(offset)} of partition 0` : `${count(offset)} of ${partition}`,
  );
  return `from offset ${places.join(', ')}`;
}
