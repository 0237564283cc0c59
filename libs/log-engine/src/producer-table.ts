/**
 * Which producers wrote to a partition, and their latest batches: enough to know a batch that comes a second time, one
 * that comes too early, and one of a producer that was replaced. The rules are Kafka's (KIP-98, KIP-360).
 */
import { EngineError } from './errors.ts';
import { NO_SEQUENCE, type ProducerBatch, sequenceAfter } from './producer-batches.ts';

/** So many batches of a producer can be on their way at a time, and so come again. */
const BATCHES_KEPT = 5;

/** A batch that lies in the log. */
export interface StoredBatch {
  firstSequence: number;
  lastSequence: number;
  baseOffset: number;
  lastOffset: number;
  appendTimeMs: number;
}

/** As a checkpoint has it; of the batches, oldest first: first and last sequence, base and last offset, append time. */
export type ProducerRow = [
  producerId: number,
  epoch: number,
  lastAppendMs: number,
  batches: [number, number, number, number, number][],
];

interface Entry {
  epoch: number;
  lastAppendMs: number;
  /** Oldest first. None where a marker alone told of the epoch. */
  batches: StoredBatch[];
}

export class ProducerTable {
  readonly #entries = new Map<number, Entry>();

  static fromRows(rows: Iterable<ProducerRow>): ProducerTable {
    const table = new ProducerTable();
    for (const [producerId, epoch, lastAppendMs, batches] of rows) {
      table.#entries.set(producerId, { epoch, lastAppendMs, batches: batches.map(storedBatch) });
    }
    return table;
  }

  get size(): number {
    return this.#entries.size;
  }

  toRows(): ProducerRow[] {
    return [...this.#entries].map(([producerId, { epoch, lastAppendMs, batches }]) => [
      producerId,
      epoch,
      lastAppendMs,
      batches.map((b) => [b.firstSequence, b.lastSequence, b.baseOffset, b.lastOffset, b.appendTimeMs]),
    ]);
  }

  epochOf(producerId: number): number | undefined {
    return this.#entries.get(producerId)?.epoch;
  }

  /**
   * Judges batches that are to be appended at once, all or none.
   * @returns the batches as they lie in the log already, where they do; undefined where they are to be appended
   * @throws EngineError `producer-fenced`, `out-of-order-sequence`
   */
  check(batches: readonly ProducerBatch[]): StoredBatch[] | undefined {
    const before = this.#storedTogether(batches);
    if (before !== undefined) return before;
    const latest = new Map<number, { epoch: number; lastSequence: number }>();
    const stored: StoredBatch[] = [];
    for (const batch of batches) {
      const original = latest.has(batch.producerId) ? undefined : this.#find(batch);
      if (original === undefined) {
        mustFollow(latest.get(batch.producerId) ?? this.#latestOf(batch.producerId), batch);
        latest.set(batch.producerId, batch);
      } else {
        stored.push(original);
      }
    }
    if (stored.length === 0) return undefined;
    if (stored.length === batches.length) return stored;
    throw new EngineError(
      'out-of-order-sequence',
      `${stored.length} of ${batches.length} batches that came together were appended before, the others not`,
    );
  }

  /** Takes note of a batch that was appended. */
  add(batch: ProducerBatch, baseOffset: number, lastOffset: number, appendTimeMs: number): void {
    const { firstSequence, lastSequence } = batch;
    const entry = this.#entryOf(batch.producerId, batch.epoch);
    entry.lastAppendMs = appendTimeMs;
    entry.batches.push({ firstSequence, lastSequence, baseOffset, lastOffset, appendTimeMs });
    if (entry.batches.length > BATCHES_KEPT) entry.batches.shift();
  }

  /** Takes note of a marker: from now on, older epochs are fenced. */
  addMarker(producerId: number, epoch: number, appendTimeMs: number): void {
    const known = this.epochOf(producerId) ?? 0;
    this.#entryOf(producerId, Math.max(known, epoch)).lastAppendMs = appendTimeMs;
  }

  /** Forgets producers that appended nothing since `beforeMs`, but those that are to be kept. */
  expire(beforeMs: number, isKept: (producerId: number) => boolean): void {
    for (const [producerId, { lastAppendMs }] of this.#entries) {
      if (lastAppendMs < beforeMs && !isKept(producerId)) this.#entries.delete(producerId);
    }
  }

  /**
   * More batches than are kept, which came at once and come again: a producer's sequences have no gap, so where the log
   * has the last of them it has those before it.
   */
  #storedTogether(batches: readonly ProducerBatch[]): StoredBatch[] | undefined {
    const last = batches.at(-1);
    const stored = batches.length > BATCHES_KEPT ? this.#find(last!) : undefined;
    if (stored === undefined) return undefined;
    const found = [stored];
    for (let i = batches.length - 2; i >= 0; i--) {
      const [batch, next] = [batches[i]!, batches[i + 1]!];
      const isBefore = batch.producerId === next.producerId && batch.epoch === next.epoch;
      if (!isBefore || sequenceAfter(batch.lastSequence, 1) !== next.firstSequence) return undefined;
      const { baseOffset: end, appendTimeMs } = found[0]!;
      const { firstSequence, lastSequence } = batch;
      const baseOffset = end - sequenceAfter(lastSequence, 1 - firstSequence);
      found.unshift({ firstSequence, lastSequence, baseOffset, lastOffset: end - 1, appendTimeMs });
    }
    return found;
  }

  #find({ producerId, epoch, firstSequence, lastSequence }: ProducerBatch): StoredBatch | undefined {
    const entry = this.#entries.get(producerId);
    if (entry?.epoch !== epoch) return undefined;
    return entry.batches.find((b) => b.firstSequence === firstSequence && b.lastSequence === lastSequence);
  }

  #latestOf(producerId: number): { epoch: number; lastSequence: number } | undefined {
    const entry = this.#entries.get(producerId);
    return entry && { epoch: entry.epoch, lastSequence: entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE };
  }

  #entryOf(producerId: number, epoch: number): Entry {
    let entry = this.#entries.get(producerId);
    // A log that was recovered with a gap may hold what no check would let in now; the later batch is right.
    if (entry === undefined || entry.epoch !== epoch) {
      entry = { epoch, lastAppendMs: 0, batches: [] };
      this.#entries.set(producerId, entry);
    }
    return entry;
  }
}

/** A producer that is not known may go on from anywhere: its records may have expired, or its topic been made anew. */
function mustFollow(latest: { epoch: number; lastSequence: number } | undefined, batch: ProducerBatch): void {
  if (latest === undefined) return;
  const { producerId, epoch, firstSequence } = batch;
  if (epoch < latest.epoch) {
    throw new EngineError(
      'producer-fenced',
      `epoch ${epoch} of producer ${producerId} was replaced by ${latest.epoch}`,
    );
  }
  const expected = epoch > latest.epoch ? 0 : sequenceAfter(latest.lastSequence, 1);
  if (firstSequence !== expected) {
    throw new EngineError(
      'out-of-order-sequence',
      `producer ${producerId}, epoch ${epoch}, sent sequence ${firstSequence}, but ${expected} is next`,
    );
  }
}

function storedBatch([firstSequence, lastSequence, baseOffset, lastOffset, appendTimeMs]: ProducerRow[3][number]) {
  return { firstSequence, lastSequence, baseOffset, lastOffset, appendTimeMs };
}
