import type { Model } from './model.ts';
import { brokerAssumptions } from './paper-broker.ts';

/** Everything that a model's figures take for granted, in sentences for the page. */
export function assumptions(model: Model): string[] {
  const { flatMinutesBeforeClose = 0 } = model.parameters;
  return [
    ...brokerAssumptions(model.parameters),
    flatMinutesBeforeClose > 0
      ? `A symbol's position is closed by its first trade in the last ${flatMinutesBeforeClose} minutes of the regular session; without such a trade it stays.`
      : 'Positions are kept overnight.',
    'Only trades are judged, each against what came before it; offers are ignored. A feature that history cannot give stops nothing.',
    'Every partition is a paper account of its own; totals are their sums.',
  ];
}
