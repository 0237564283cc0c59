import type { Durability } from '@tickfold/log-engine';
import { mustHold } from './violation.ts';

/** How an engine ended: in good order, killed with its machine going on, or with the power. */
export type Ending = 'closed' | 'killed' | 'power-lost';

/** One batch, as it was sent. */
export interface Sent {
  /** Place among everything that was sent to the engine, in the order of the calls. */
  readonly serial: number;
  readonly values: readonly string[];
  /** What its acknowledgement promised; undefined while there is none. */
  acknowledged: Durability | undefined;
  /** Its call failed: it may be there or not. */
  hasFailed: boolean;
  baseOffset: number | undefined;
}

export interface FoundRecord {
  offset: number;
  value: string;
}

/** One partition's log as plain arrays: what is known to stand at each offset, and what was sent since. */
export class PartitionModel {
  readonly name: string;
  start = 0;
  /** Offset that the next record gets, where nothing is under way. */
  #end = 0;
  readonly #values = new Map<number, { value: string; serial: number }>();
  #sent: Sent[] = [];
  /** A reader was shown everything below. */
  #shownEnd = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Everything below stood there when the log was last looked through. */
  get end(): number {
    return this.#end;
  }

  get sent(): readonly Sent[] {
    return this.#sent;
  }

  send(serial: number, values: readonly string[]): Sent {
    const batch: Sent = { serial, values, acknowledged: undefined, hasFailed: false, baseOffset: undefined };
    this.#sent.push(batch);
    return batch;
  }

  acknowledge(batch: Sent, durability: Durability, baseOffset: number): void {
    batch.acknowledged = durability;
    this.#place(batch, baseOffset);
    const before = this.#sent.slice(0, this.#sent.indexOf(batch));
    if (before.some(({ hasFailed }) => hasFailed)) return;
    const expected = before.reduce((sum, { values }) => sum + values.length, this.#end);
    mustHold(baseOffset === expected, 'reordered', () => `${this.name}: offset ${baseOffset} instead of ${expected}`);
  }

  /** A reader was given these records of a volume that shows what is durable, or, else, whatever is written. */
  show(records: readonly FoundRecord[], isDurable: boolean): void {
    for (const { offset, value } of records) {
      const known = this.#values.get(offset);
      if (known === undefined) {
        const batch = this.#sent.find(({ values }) => values.includes(value));
        mustHold(batch !== undefined, 'doubled', () => `${this.name}: ${value} at ${offset} was not sent`);
        this.#place(batch, offset - batch.values.indexOf(value));
      } else {
        this.#mustBe(known.value, value, offset);
      }
    }
    const last = records.at(-1);
    if (isDurable && last !== undefined) this.#shownEnd = Math.max(this.#shownEnd, last.offset + 1);
  }

  /**
   * Compares all that a log holds after its engine ended and was opened again; what is there is known from now on.
   * @param mayStartLater something may have taken its oldest records
   */
  settle(ending: Ending, found: { start: number; records: readonly FoundRecord[] }, mayStartLater: boolean): void {
    const { start, records } = found;
    mustHold(start >= this.start, 'moved-back', () => `${this.name} starts at ${start}, not ${this.start}`);
    mustHold(start === this.start || mayStartLater, 'lost', () => `${this.name} starts at ${start}, not ${this.start}`);
    const byOffset = new Map(records.map(({ offset, value }) => [offset, value]));
    mustHold(byOffset.size === records.length, 'doubled', () => `${this.name} holds an offset twice`);
    for (let offset = start; offset < this.#end; offset++) {
      this.#mustBe(this.#values.get(offset)!.value, byOffset.get(offset), offset);
    }
    let end = this.#end;
    let missing: Sent | undefined;
    for (const batch of this.#sent) {
      const isThere =
        byOffset.get(end + batch.values.length - 1) === batch.values.at(-1) || end + batch.values.length <= start;
      if (!isThere) {
        mustHold(!this.#mustSurvive(batch, ending), 'lost', () => this.#describe(batch, `at ${end} after ${ending}`));
        if (!batch.hasFailed) missing ??= batch;
        continue;
      }
      mustHold(missing === undefined, 'reordered', () =>
        this.#describe(batch, `is there, ${missing?.values[0]} is not`),
      );
      this.#place(batch, end);
      batch.values.forEach((value, i) => {
        if (end + i >= start) this.#mustBe(value, byOffset.get(end + i), end + i);
      });
      end += batch.values.length;
    }
    const surplus = records.find(({ offset }) => offset >= end);
    mustHold(surplus === undefined, 'doubled', () => `${this.name}: ${surplus?.value} at ${surplus?.offset}`);
    mustHold(
      end >= this.#shownEnd,
      'lost',
      () => `${this.name} ends at ${end}; readers had seen up to ${this.#shownEnd}`,
    );
    for (const offset of this.#values.keys()) if (offset < start || offset >= end) this.#values.delete(offset);
    this.start = start;
    this.#end = end;
    this.#sent = [];
  }

  /** The value at an offset, with its place among all that was sent. */
  at(offset: number): { value: string; serial: number } | undefined {
    return this.#values.get(offset);
  }

  /** First known offset that is not known to be there. */
  get knownEnd(): number {
    let end = this.#end;
    while (this.#values.has(end)) end++;
    return end;
  }

  #place(batch: Sent, baseOffset: number): void {
    const before = batch.baseOffset;
    mustHold(before === undefined || before === baseOffset, 'diverged', () =>
      this.#describe(batch, `stands at ${before} and at ${baseOffset}`),
    );
    batch.baseOffset = baseOffset;
    batch.values.forEach((value, i) => {
      const known = this.#values.get(baseOffset + i);
      if (known !== undefined) this.#mustBe(known.value, value, baseOffset + i);
      this.#values.set(baseOffset + i, { value, serial: batch.serial });
    });
  }

  #mustBe(expected: string, found: string | undefined, offset: number): void {
    if (found === expected) return;
    const anomaly = found === undefined ? 'lost' : 'diverged';
    mustHold(false, anomaly, () => `${this.name}: ${found ?? 'nothing'} at ${offset} instead of ${expected}`);
  }

  #mustSurvive({ acknowledged, baseOffset, values }: Sent, ending: Ending): boolean {
    if (baseOffset !== undefined && baseOffset + values.length <= this.#shownEnd) return true;
    if (acknowledged === undefined) return false;
    if (acknowledged === 'synced' || ending === 'closed') return true;
    return acknowledged === 'written' && ending === 'killed';
  }

  #describe({ values, acknowledged }: Sent, what: string): string {
    return `${this.name}: ${values[0]} (${acknowledged ?? 'not acknowledged'}) ${what}`;
  }
}
