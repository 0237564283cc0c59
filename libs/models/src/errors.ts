/** Every way in which a user's choice of a model or its parameters can be wrong. All are the user's to mend. */
export type ModelErrorCode =
  | 'unknown-model'
  | 'unknown-parameter'
  | 'parameter-not-a-number'
  | 'parameter-out-of-range'
  | 'parameters-unreadable';

/** A wrong model name or parameter, said for the person who chose it. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  /** What to do about it. */
  readonly mend: string;

  constructor(code: ModelErrorCode, message: string, mend: string) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
    this.mend = mend;
  }
}
