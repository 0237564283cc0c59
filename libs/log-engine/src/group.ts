import type { ControlRecord } from './control-record.ts';
import type { EngineError } from './errors.ts';
import type { Partition } from './partition.ts';
import type { ActiveSegment } from './segment.ts';

/** Called once: with an error, or without when the append has become as durable as was asked. */
export type Settle = (error?: EngineError) => void;

/** Appends that are written together, by one write, and synced together. */
export class Group {
  readonly segment: ActiveSegment;
  bytes = 0;
  readonly records: ControlRecord[] = [];
  readonly #ends = new Map<Partition, number>();
  #whenWritten: Settle[] = [];
  #whenSynced: Settle[] = [];

  constructor(segment: ActiveSegment) {
    this.segment = segment;
  }

  /** Somebody waits for it to be synced. */
  get isSyncAwaited(): boolean {
    return this.#whenSynced.length > 0;
  }

  /** The group brings `partition` up to `endOffset`. */
  reach(partition: Partition, endOffset: number): void {
    this.#ends.set(partition, endOffset);
  }

  whenWritten(settle: Settle): void {
    this.#whenWritten.push(settle);
  }

  whenSynced(settle: Settle): void {
    this.#whenSynced.push(settle);
  }

  /** Moves the high watermarks to what the group brought. */
  show(): void {
    for (const [partition, endOffset] of this.#ends) partition.showUpTo(endOffset);
  }

  settleWritten(error?: EngineError): void {
    const settles = this.#whenWritten;
    this.#whenWritten = [];
    for (const settle of settles) settle(error);
  }

  settleSynced(error?: EngineError): void {
    const settles = this.#whenSynced;
    this.#whenSynced = [];
    for (const settle of settles) settle(error);
  }

  /** Tells everyone who waits, for the write or the sync, that it will not come. */
  fail(error: EngineError): void {
    this.settleWritten(error);
    this.settleSynced(error);
  }
}
