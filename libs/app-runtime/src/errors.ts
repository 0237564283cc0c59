/** An error that a user or operator can mend. It is printed as two lines, without a stack trace. */
export class UserError extends Error {
  readonly mend: string;
  /** Exit status of a process that ends with it. */
  readonly exitStatus: number = 1;

  /**
   * @param message names the value and what is wrong with it
   * @param mend what to do about it
   */
  constructor(message: string, mend: string) {
    super(message);
    this.name = 'UserError';
    this.mend = mend;
  }
}

/** A wrong option or environment variable. */
export class UsageError extends UserError {
  override readonly exitStatus = 2;

  constructor(message: string, mend: string) {
    super(message, mend);
    this.name = 'UsageError';
  }
}

/** What a person should read of any thrown value: message and mend where there is one, never a stack trace. */
export function describeError(error: unknown): { message: string; mend: string | undefined; exitStatus: number } {
  if (error instanceof UserError) return { message: error.message, mend: error.mend, exitStatus: error.exitStatus };
  if (error instanceof Error) {
    const mend = 'mend' in error && typeof error.mend === 'string' ? error.mend : undefined;
    return { message: error.message, mend, exitStatus: 1 };
  }
  return { message: String(error), mend: undefined, exitStatus: 1 };
}
