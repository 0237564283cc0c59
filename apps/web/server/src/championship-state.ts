import type { Promotion as AuditedPromotion } from '@tickfold/market';
import { championOf } from '@tickfold/promotion';
import type { Championship, Promotion } from './contract.ts';

/** Changes of champion are made by people: so many are years of them. */
const MAX_PROMOTIONS = 10_000;
const SHOWN_PROMOTIONS = 50;

/** `live.promotions` so far: who decides, and how it came to that. */
export class ChampionshipState {
  #promotions: AuditedPromotion[] = [];
  readonly #waiting = new Set<() => void>();

  apply(promotion: AuditedPromotion): void {
    this.#promotions.push(promotion);
    if (this.#promotions.length > MAX_PROMOTIONS) this.#promotions.shift();
    for (const look of [...this.#waiting]) look();
  }

  get champion(): string | null {
    return this.#promotions.findLast(({ action }) => action !== 'refused')?.champion ?? null;
  }

  toJson(): Championship {
    const { champion, rollsBackTo } = championOf(this.#promotions);
    const audit = this.#promotions.slice(-SHOWN_PROMOTIONS).reverse().map(promotionJson);
    return { champion, rollsBackTo, audit };
  }

  /** Resolves when the answer to this command was read, or the signal is aborted: who asks next is told the same. */
  untilAnswered(commandId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const isAnswered = () => this.#promotions.some((promotion) => promotion.commandId === commandId);
      const look = () => {
        if (!isAnswered() && !signal.aborted) return;
        this.#waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }
}

export function promotionJson(promotion: AuditedPromotion): Promotion {
  const { action, champion, previous, by, atMs, fromInput, reason } = promotion;
  return { action, champion, previous, by, atMs, fromInput, reason };
}
