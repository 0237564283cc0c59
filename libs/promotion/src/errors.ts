/** A promotion or rollback that nobody answered. A refusal is an answer, not an error. */
export class PromotionError extends Error {
  readonly mend: string;

  /**
   * @param message says what was asked for and what became of it, as far as it is known
   * @param mend what to do about it
   */
  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PromotionError';
    this.mend = mend;
  }
}

const ASK_THE_AUDIT = 'Look at who is champion now, then ask again if need be.';

/** `what` is the wish in words: `promote reversion-2`. */
export const promotionErrors = {
  nothingDecidedYet: (what: string) =>
    new PromotionError(
      `Cannot ${what}: there is no champion yet.`,
      'Is `decisions` running? It makes the first of MODELS champion when it starts; npm start starts it.',
    ),
  unanswered: (what: string, timeoutMs: number) =>
    new PromotionError(
      `Nobody answered "${what}" within ${timeoutMs / 1000} s; it will not be carried out later.`,
      'Is `decisions` running? npm start starts it; the page shows its state.',
    ),
  abandoned: (what: string) =>
    new PromotionError(`The answer to "${what}" was not waited for; it may still be carried out.`, ASK_THE_AUDIT),
  disconnected: (what: string, cause: Error) =>
    new PromotionError(
      `The broker went away before "${what}" was answered (${cause.message}); it may still be carried out.`,
      ASK_THE_AUDIT,
      { cause },
    ),
} as const;
