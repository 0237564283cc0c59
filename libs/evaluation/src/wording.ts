import type { DecisionReason } from '@tickfold/market/browser';
import type { DecisionDifferenceKind, ProfitPart } from './volume-diff.ts';

/** What a page and the command line both say of a diff. Plain words; no Node.js modules. */

/** How two decisions on one tick differ, in a few words. */
export function describeKind(kind: DecisionDifferenceKind): string {
  switch (kind) {
    case 'only-a':
      return 'only A decided';
    case 'only-b':
      return 'only B decided';
    case 'action':
      return 'another action or another target';
    case 'reason':
      return 'the same action for another reason';
    case 'figures':
      return 'the same action and reason, other figures';
    case 'label':
      return 'only the name of the parameters, or a header';
  }
}

/** Where a part of the difference in profit comes from, in one sentence. */
export function describePart({ kind, reasonA, reasonB, trips }: ProfitPart): string {
  const count = `${trips.toLocaleString('en-US')} ${trips === 1 ? 'trip' : 'trips'}`;
  switch (kind) {
    case 'only-a':
      return `${count} that only A made, because ${because(reasonA)}; ${whyNot('B', reasonB, reasonA)}.`;
    case 'only-b':
      return `${count} that only B made, because ${because(reasonB)}; ${whyNot('A', reasonA, reasonB)}.`;
    case 'closed-differently':
      return `${count} that began together and ended apart: ${bothReasons(reasonA, reasonB)}.`;
    case 'sized-or-priced-differently':
      return `${count} on the same ticks with other sizes, prices or fees, opened because ${sharedReason(reasonA, reasonB)}.`;
    case 'unattributed':
      return 'No trip accounts for this: one of the volumes was not written by a model alone.';
  }
}

function whyNot(side: string, reason: DecisionReason | null, othersReason: DecisionReason | null): string {
  if (reason === null) return `${side} made no decision there`;
  if (reason === othersReason) return `${side} wanted the same, but got no such position from it`;
  return `${side} did not, because ${because(reason)}`;
}

function bothReasons(reasonA: DecisionReason | null, reasonB: DecisionReason | null): string {
  if (reasonA === reasonB) return `both wanted it because ${because(reasonA)}, but were not filled alike`;
  return `when the first was to be closed, ${because(reasonA)} for A, and ${because(reasonB)} for B`;
}

function sharedReason(reasonA: DecisionReason | null, reasonB: DecisionReason | null): string {
  return reasonA === reasonB ? because(reasonA) : `${because(reasonA)} for A, and ${because(reasonB)} for B`;
}

/** The reason of a decision without its numbers, to follow "because". */
function because(reason: DecisionReason | null): string {
  switch (reason) {
    case null:
      return 'no decision was made';
    case 'outside_session':
      return 'it was outside of the session';
    case 'warming_up':
      return 'the average was still warming up';
    case 'within_band':
      return 'the price was near its average';
    case 'position_kept':
      return 'an open position was kept';
    case 'price_awaited':
      return 'an open position waited for its price';
    case 'heavy_volume':
      return 'the volume of the day was too heavy';
    case 'multi_day_move':
      return 'the price was on a move of days';
    case 'small_trade':
      return 'the trade was too small to count';
    case 'session_ending':
      return 'the session was about to end';
    case 'below_mean':
      return 'the price was far below its average';
    case 'above_mean':
      return 'the price was far above its average';
    case 'reverted':
      return 'the price was back at its average';
    case 'partly_reverted':
      return 'the price had come part of the way back';
    case 'held_too_long':
      return 'the position had been held too long';
    case 'session_end':
      return 'the session ended';
  }
}

/** Exact amounts that are read as a column: `-1,234.50`, and four decimals for all where one is no whole cent. */
export function formatColumnE4(amountsE4: readonly number[]): string[] {
  const decimals = amountsE4.every((amountE4) => amountE4 % 100 === 0) ? 2 : 4;
  return amountsE4.map((amountE4) => {
    const size = Math.abs(amountE4);
    const fraction = String(size % 10_000)
      .padStart(4, '0')
      .slice(0, decimals);
    return `${amountE4 < 0 ? '-' : ''}${Math.floor(size / 10_000).toLocaleString('en-US')}.${fraction}`;
  });
}
