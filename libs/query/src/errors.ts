/** A query that cannot be answered: the message names the value, `mend` says what to do. */
export class QueryError extends Error {
  override name = 'QueryError';
  readonly mend: string;

  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.mend = mend;
  }
}
