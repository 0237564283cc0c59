/** What may never be seen, whatever bytes come in. */
export type Anomaly =
  /** A sound request was not answered in time, while others misbehaved. */
  | 'starved'
  /** A sound request was answered with an error. */
  | 'refused'
  /** A record that was acknowledged is not there. */
  | 'lost'
  /** A record that was acknowledged is another one now. */
  | 'diverged'
  /** An offset was given that does not follow the last one. */
  | 'reordered'
  /** A committed offset became a smaller one. */
  | 'moved-back'
  /** An error that nobody had thought of came out of a request. */
  | 'unexpected-error'
  /** A connection was closed, and no line says whose, at which request, and why. */
  | 'silent-close'
  /** Asked to close, the broker went on. */
  | 'never-ends'
  /** Memory grew past its bound. */
  | 'memory';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly anomaly: Anomaly;

  constructor(anomaly: Anomaly, detail: string) {
    super(`${anomaly}: ${detail}`);
    this.anomaly = anomaly;
  }
}

/** @throws Violation */
export function mustHold(holds: boolean, anomaly: Anomaly, detail: () => string): void {
  if (!holds) throw new Violation(anomaly, detail());
}
