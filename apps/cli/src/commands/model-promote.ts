import { UserError } from '@tickfold/app-runtime';
import type { Promotion } from '@tickfold/market';
import { describeOffsets } from '../offsets.ts';
import type { Outcome } from '../outcome.ts';
import { formatWallClock } from '../quantities.ts';
import type { System } from '../system.ts';

/** @throws UserError where `apps/decisions` refused */
export async function promote(options: { version: string }, system: System): Promise<Outcome> {
  const promotion = accepted(await system.promote(options.version));
  return { text: describe(promotion), json: promotion, exitStatus: 0, next: 'model rollback' };
}

/** @throws UserError where there is nothing to undo */
export async function rollback(system: System): Promise<Outcome> {
  const promotion = accepted(await system.rollback());
  return { text: describe(promotion), json: promotion, exitStatus: 0, next: 'model audit' };
}

function accepted(promotion: Promotion): Promotion {
  if (promotion.action !== 'refused') return promotion;
  throw new UserError(
    promotion.reason ?? `It was refused; ${promotion.champion} is still champion.`,
    'npx tickfold model audit shows what happened so far.',
  );
}

function describe({ champion, previous, fromInput, by, atMs }: Promotion): string {
  return [
    `${champion} is champion${previous === null ? '' : ` after ${previous}`}, by ${by}, ${formatWallClock(atMs)}.`,
    `live.decisions follows it from these offsets of market.enriched on, by partition: ${describeOffsets(fromInput)}.`,
  ].join('\n');
}
