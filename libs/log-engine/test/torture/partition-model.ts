import type { Durability } from '@tickfold/log-engine';
import { mustHold } from './violation.ts';

/** How an engine ended: in good order, killed with its machine going on, or with the power. */
export type Ending = 'closed' | 'killed' | 'power-lost';

export interface SentRecord {
  readonly key: string;
  readonly value: string;
}

/** Who sent a batch, so that it is stored once however often it comes. */
export interface Sequenced {
  readonly producerId: bigint;
  readonly sequence: number;
}

/** One batch, as it was sent. */
export interface Sent {
  /** Place among everything that was sent to the engine, in the order of the calls. */
  readonly serial: number;
  readonly records: readonly SentRecord[];
  readonly sequenced: Sequenced | undefined;
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

/** All that a log shows. */
export interface FoundLog {
  start: number;
  end: number;
  records: readonly FoundRecord[];
}

export interface Known extends SentRecord {
  serial: number;
}

/** One partition's log as plain arrays: what is known to stand at each offset, and what was sent since. */
export class PartitionModel {
  readonly name: string;
  /** Place of its making among all that was sent, at the latest. */
  readonly serial: number;
  /** Its topic keeps only the last value of each key for sure. */
  isCompacted = false;
  /** Something may take its oldest records at any time. */
  mayStartLater = false;
  /** Everything below is deleted for sure. */
  start = 0;
  /** Somebody asked to delete everything below. */
  #deletedUpTo = 0;
  #end = 0;
  readonly #known = new Map<number, Known>();
  #sent: Sent[] = [];
  /** Batches that are there for sure, newest last; those with a sequence only. */
  #sequenced: Sent[] = [];
  /** A reader was shown everything below. */
  #shownEnd = 0;
  #isRestored = false;

  constructor(name: string, serial: number) {
    this.name = name;
    this.serial = serial;
  }

  /** Everything below stood there when the log was last looked through. */
  get end(): number {
    return this.#end;
  }

  get sent(): readonly Sent[] {
    return this.#sent;
  }

  /** First offset of which nothing is known. */
  get knownEnd(): number {
    let end = this.#end;
    while (this.#known.has(end)) end++;
    return end;
  }

  /** What was sent to an offset. */
  at(offset: number): Known | undefined {
    return this.#known.get(offset);
  }

  send(serial: number, records: readonly SentRecord[], sequenced?: Sequenced): Sent {
    const batch: Sent = {
      serial,
      records,
      sequenced,
      acknowledged: undefined,
      hasFailed: false,
      baseOffset: undefined,
    };
    this.#sent.push(batch);
    return batch;
  }

  acknowledge(batch: Sent, durability: Durability, baseOffset: number): void {
    batch.acknowledged = durability;
    this.#place(batch, baseOffset);
    const before = this.#sent.slice(0, this.#sent.indexOf(batch));
    if (before.some(({ hasFailed }) => hasFailed)) return;
    const expected = before.reduce((sum, { records }) => sum + records.length, this.#end);
    mustHold(baseOffset === expected, 'reordered', () => `${this.name}: offset ${baseOffset} instead of ${expected}`);
  }

  /** It begins as what a snapshot held. Which producers wrote that is not known. */
  restore({ start, end, records }: FoundLog, recordOf: (value: string) => Known): void {
    this.start = start;
    this.#end = end;
    this.#isRestored = true;
    for (const { offset, value } of records) this.#known.set(offset, recordOf(value));
  }

  /** Batches of a producer, oldest first; undefined while it is not sure which of them are there. */
  batchesOf(producerId: bigint): Sent[] | undefined {
    const isOf = (batch: Sent): boolean => batch.sequenced?.producerId === producerId;
    const sent = this.#sent.filter(isOf);
    return this.#isRestored || sent.some(({ hasFailed }) => hasFailed)
      ? undefined
      : [...this.#sequenced.filter(isOf), ...sent];
  }

  askToDeleteBefore(offset: number): void {
    this.#deletedUpTo = Math.max(this.#deletedUpTo, offset);
  }

  /** @param start where the log starts from now on, for sure */
  deletedBefore(start: number): void {
    this.start = Math.max(this.start, start);
  }

  /** A reader was given these records of a volume that shows what is durable, or, else, whatever is written. */
  show(records: readonly FoundRecord[], isDurable: boolean): void {
    for (const { offset, value } of records) {
      const known = this.#known.get(offset);
      if (known !== undefined) {
        this.#mustBe(known, value, offset);
        continue;
      }
      const batch = this.#sent.find((other) => other.records.some((record) => record.value === value));
      mustHold(batch !== undefined, 'doubled', () => `${this.name}: ${value} at ${offset} was not sent`);
      this.#place(batch, offset - batch.records.findIndex((record) => record.value === value));
    }
    const last = records.at(-1);
    if (isDurable && last !== undefined) this.#shownEnd = Math.max(this.#shownEnd, last.offset + 1);
  }

  /** Compares all that a log holds after its engine ended and was opened again; it is what is known from now on. */
  settle(ending: Ending, found: FoundLog): void {
    this.#settleStart(found.start);
    const values = new Map(found.records.map(({ offset, value }) => [offset, value]));
    mustHold(values.size === found.records.length, 'doubled', () => `${this.name} holds an offset twice`);
    const end = this.#settleEnd(ending, found.end, values);
    this.#checkRecords(found.start, end, values);
    for (const offset of this.#known.keys()) if (offset < found.start || offset >= end) this.#known.delete(offset);
    this.start = found.start;
    this.#end = end;
  }

  #settleStart(start: number): void {
    mustHold(start >= this.start, 'moved-back', () => `${this.name} starts at ${start}, not ${this.start}`);
    const mayStartAt = Math.max(this.start, this.#deletedUpTo);
    const isAllowed = start <= mayStartAt || this.mayStartLater;
    mustHold(isAllowed, 'lost', () => `${this.name} starts at ${start}, not at ${mayStartAt} at the latest`);
  }

  /** Which of the batches sent are there: all up to the log's end, and none behind it. */
  #settleEnd(ending: Ending, foundEnd: number, values: ReadonlyMap<number, string>): number {
    let end = this.#end;
    mustHold(foundEnd >= end, 'lost', () => `${this.name} ends at ${foundEnd}, but had reached ${end}`);
    let refused = 0;
    for (const batch of this.#sent) {
      const isThere = end + batch.records.length <= foundEnd && !wasRefused(batch, values.get(end));
      if (!isThere) {
        mustHold(!this.#mustSurvive(batch, ending), 'lost', () => this.#describe(batch, `at ${end}, ${ending}`));
        if (batch.hasFailed) refused++;
        continue;
      }
      this.#place(batch, end);
      if (batch.sequenced !== undefined) this.#sequenced.push(batch);
      end += batch.records.length;
    }
    mustHold(foundEnd === end, 'doubled', () => `${this.name} ends at ${foundEnd}, not ${end} (${refused} refused)`);
    const seen = this.#shownEnd;
    mustHold(end >= seen, 'lost', () => `${this.name} ends at ${end}; readers had seen up to ${seen}`);
    this.#sent = [];
    return end;
  }

  #checkRecords(start: number, end: number, values: ReadonlyMap<number, string>): void {
    const lastOfKey = new Map<string, number>();
    for (const [offset, { key }] of this.#known) {
      if (offset < end) lastOfKey.set(key, Math.max(offset, lastOfKey.get(key) ?? 0));
    }
    for (let offset = start; offset < end; offset++) {
      const known = this.#known.get(offset);
      const value = values.get(offset);
      if (known === undefined) {
        // What a snapshot of a compacted log did not hold was not there already.
        const isGap = value === undefined && this.isCompacted && this.#isRestored;
        mustHold(isGap, 'diverged', () => `${this.name}: ${value} at ${offset}, which is not known`);
        continue;
      }
      if (value === undefined && this.isCompacted && lastOfKey.get(known.key) !== offset) continue;
      this.#mustBe(known, value, offset);
    }
  }

  #place(batch: Sent, baseOffset: number): void {
    const before = batch.baseOffset;
    mustHold(before === undefined || before === baseOffset, 'diverged', () =>
      this.#describe(batch, `stands at ${before} and at ${baseOffset}`),
    );
    batch.baseOffset = baseOffset;
    for (const [i, record] of batch.records.entries()) {
      const known = this.#known.get(baseOffset + i);
      if (known !== undefined) this.#mustBe(known, record.value, baseOffset + i);
      this.#known.set(baseOffset + i, { ...record, serial: batch.serial });
    }
  }

  #mustBe(expected: SentRecord, found: string | undefined, offset: number): void {
    if (found === expected.value) return;
    const anomaly = found === undefined ? 'lost' : 'diverged';
    mustHold(false, anomaly, () => `${this.name}: ${found ?? 'nothing'} at ${offset} instead of ${expected.value}`);
  }

  #mustSurvive({ acknowledged, baseOffset, records }: Sent, ending: Ending): boolean {
    if (baseOffset !== undefined && baseOffset + records.length <= this.#shownEnd) return true;
    if (acknowledged === undefined) return false;
    if (acknowledged === 'synced' || ending === 'closed') return true;
    return acknowledged === 'written' && ending === 'killed';
  }

  #describe({ records, acknowledged }: Sent, what: string): string {
    return `${this.name}: ${records[0]?.value} (${acknowledged ?? 'not acknowledged'}) ${what}`;
  }
}

/** A call that failed may have been refused, and what was sent after it have come into its place. */
function wasRefused({ hasFailed, baseOffset, records }: Sent, found: string | undefined): boolean {
  return hasFailed && baseOffset === undefined && found !== undefined && found !== records[0]?.value;
}
