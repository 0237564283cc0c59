/** Every way in which a replay or a comparison can fail by itself; what streams and volumes throw goes through. */
export type EvaluationErrorCode =
  /** The snapshot holds no enriched ticks. */
  | 'nothing-to-replay'
  /** The name is not one that a replay may write to. */
  | 'target-refused'
  /** Retention dropped the beginning of what is needed. */
  | 'beginning-lost'
  | 'not-comparable'
  /** The two read different ticks under the same offsets. */
  | 'different-inputs'
  /** A record that its volume's writer cannot have written. */
  | 'unreadable-output'
  | 'interrupted';

/** Said for the person who asked for a replay or a comparison. */
export class EvaluationError extends Error {
  override name = 'EvaluationError';
  readonly code: EvaluationErrorCode;
  /** What to do about it. */
  readonly mend: string;

  constructor(code: EvaluationErrorCode, message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.mend = mend;
  }
}
