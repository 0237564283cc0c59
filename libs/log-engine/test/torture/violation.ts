/** What may never be seen, whatever the disk did. The list stood before the checker that looks for them. */
export type Anomaly =
  /** Acknowledged as durable, or shown to a reader, and gone. */
  | 'lost'
  /** Sent once, there twice; or never sent. */
  | 'doubled'
  /** There, though something sent before it is not. */
  | 'reordered'
  /** A record of a transaction that was not committed was read as if it were. */
  | 'aborted-read'
  /** Of what belongs together only a part is there. */
  | 'torn'
  /** Two answers about the same offset, topic or snapshot differ. */
  | 'diverged'
  /** A committed offset, a high watermark or a log's start moved back. */
  | 'moved-back'
  /** An error, or an event, that nothing which was done explains. */
  | 'unexplained'
  /** Something is still open, or lies on the disk, that counts for nothing. */
  | 'left-over';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly anomaly: Anomaly;

  constructor(anomaly: Anomaly, what: string, cause?: unknown) {
    super(`${anomaly}: ${what}`, { cause });
    this.anomaly = anomaly;
  }
}

/** @throws Violation */
export function mustHold(holds: boolean, anomaly: Anomaly, what: () => string): asserts holds {
  if (!holds) throw new Violation(anomaly, what());
}
