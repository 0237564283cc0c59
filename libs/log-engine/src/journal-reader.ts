import { iterateBatches, RecordBatchError, RecordCursor } from '@tickfold/kafka-protocol';
import type { Isolation, ReadResult, TimedOffset } from './api.ts';
import { attributesAreControl, batchBaseOffset, batchLastOffsetDelta } from './batch-header.ts';
import { EngineError } from './errors.ts';
import { batchIn, type Extent, extentOf, frameEnd, spanBytes, spansOf } from './extents.ts';
import { inParallel } from './in-parallel.ts';
import { FRAME_HEADER } from './layout.ts';
import type { FilePieces, OpenFiles } from './open-files.ts';
import { type AbortedRow, abortedWithin } from './partition-transactions.ts';
import type { Segment } from './segment.ts';
import { hasCode, isSystemError } from './system-errors.ts';

/** So many reads are under way at a time, lest they keep a sync waiting. */
const MAX_PARALLEL_READS = 16;
/** So many small spans are better read together than one by one; so much is read together, of so many files. */
const MIN_PIECES = 8;
const SMALL_SPAN_BYTES = 16 * 1024;
const MAX_RUN_PIECES = 256;
const MAX_RUN_FILES = 32;
/** While one run is read, the batches of the one before are checked. */
const RUNS_AT_ONCE = 2;
const TOO_MANY_FILES_MEND = 'Read again later, or let the process have more open files (ulimit -n).';

/** The part of a journal that its reader looks at. */
export interface ReadableJournal {
  /** All segments, oldest first; the array is replaced, never changed. */
  readonly segments: readonly Segment[];
  /** Set when nothing may be read any more. */
  readonly closed: EngineError | undefined;
  segmentPath(segment: Segment): string;
  /** A batch that was whole once does not match its CRC any more. */
  reportDamage(segment: Segment, from: number, to: number): void;
}

/** What a journal's reader knows of a partition. */
export interface ReadablePartition {
  readonly topic: string;
  readonly partition: number;
  /** Its number in the journal. */
  readonly id: number;
  readonly startOffset: number;
  readonly visibleOffset: number;
  /** Below it every transaction has ended. */
  readonly stableOffset: number;
  /** Rows may be added to the array: of transactions that were not stable when it was taken. */
  readonly aborted: readonly AbortedRow[];
  readonly endOffset: number;
  readonly isDeleted: boolean;
}

/** Reads batches through the indexes: from memory where they lie there, else from the files, with CRCs checked. */
export class JournalReader {
  readonly #journal: ReadableJournal;
  readonly #openFiles: OpenFiles;

  constructor(journal: ReadableJournal, openFiles: OpenFiles) {
    this.#journal = journal;
    this.#openFiles = openFiles;
  }

  /** @throws EngineError `offset-out-of-range`, `unknown-topic` */
  read(
    partition: ReadablePartition,
    offset: bigint,
    maxBytes: number,
    isolation: Isolation = 'uncommitted',
    into?: Buffer,
  ): Promise<ReadResult> {
    return this.#unlessRemoved(() => this.#readOnce(partition, offset, maxBytes, isolation, new ReadRoom(into)));
  }

  /** The first visible record at or after that time. */
  offsetForTimestamp(
    partition: ReadablePartition,
    timestampMs: bigint,
    isolation: Isolation = 'uncommitted',
  ): Promise<TimedOffset | undefined> {
    return this.#unlessRemoved(() => this.#findTimestamp(partition, Number(timestampMs), isolation));
  }

  /** The first of the visible records with the highest timestamp. */
  offsetOfLatest(partition: ReadablePartition, isolation: Isolation = 'uncommitted'): Promise<TimedOffset | undefined> {
    return this.#unlessRemoved(() => this.#findLatest(partition, isolation));
  }

  /** Does the work again when a segment was taken away under it, or its remains were carried elsewhere. */
  async #unlessRemoved<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#journal.closed !== undefined) throw this.#journal.closed;
      const { segments } = this.#journal;
      try {
        const result = await work();
        // Meanwhile the path may have become that of another volume: what was read then is not this one's.
        if (this.#journal.closed === undefined) return result;
      } catch (error) {
        if (this.#journal.closed !== undefined) throw this.#journal.closed;
        if (!hasCode(error, 'ENOENT') || this.#journal.segments === segments) throw readFailure(error);
      }
    }
  }

  async #readOnce(
    partition: ReadablePartition,
    offset: bigint,
    maxBytes: number,
    isolation: Isolation,
    room: ReadRoom,
  ): Promise<ReadResult> {
    checkRange(partition, offset);
    // All of one moment: what ends a transaction later lies behind this stable offset.
    const { visibleOffset, stableOffset, aborted } = partition;
    const end = isolation === 'committed' ? stableOffset : visibleOffset;
    const batches: Buffer[] = [];
    let from = Number(offset);
    // A batch that turns out to be damaged is passed over, so a read may have to look further on.
    while (batches.length === 0 && from < end) {
      const extents = await this.#plan(partition, from, end, maxBytes);
      if (extents.length === 0) break;
      for (const batch of await this.#fetch(extents, room)) if (batch !== undefined) batches.push(batch);
      from = extents.at(-1)!.lastOffset + 1;
    }
    return {
      batches,
      highWatermark: BigInt(visibleOffset),
      logStartOffset: BigInt(partition.startOffset),
      lastStableOffset: BigInt(stableOffset),
      abortedTransactions: isolation === 'committed' ? abortedAmong(batches, aborted) : [],
    };
  }

  async #findTimestamp(
    partition: ReadablePartition,
    wanted: number,
    isolation: Isolation,
  ): Promise<TimedOffset | undefined> {
    const end = isolation === 'committed' ? partition.stableOffset : partition.visibleOffset;
    for (const segment of this.#journal.segments) {
      const summary = segment.index.summary(partition.id);
      if (summary === undefined || summary.maxTimestampMs < wanted) continue;
      const list = await segment.index.batches(partition.id);
      for (let i = list.firstEndingAtOrAfter(partition.startOffset); i < list.count; i++) {
        if (list.baseOffset(i) >= end) return undefined;
        if (list.maxTimestampMs(i) < wanted || attributesAreControl(list.attributes(i))) continue;
        const [batch] = await this.#fetch([extentOf(segment, partition.id, list, i)], new ReadRoom());
        const found = batch && firstRecordSince(batch, wanted, partition.startOffset);
        if (found !== undefined) return { offset: BigInt(found.offset), timestampMs: BigInt(found.timestampMs) };
      }
    }
    return undefined;
  }

  async #findLatest(partition: ReadablePartition, isolation: Isolation): Promise<TimedOffset | undefined> {
    const end = isolation === 'committed' ? partition.stableOffset : partition.visibleOffset;
    let latest: FoundRecord | undefined;
    const passedOver = new Set<number>();
    // One turn does, but for a batch that is damaged, or whose latest record lies before the start of the log.
    for (;;) {
      const found = await this.#latestBatch(partition, end, passedOver);
      if (found === undefined || found.timestampMs <= (latest?.timestampMs ?? -1)) break;
      const [batch] = await this.#fetch([found.extent], new ReadRoom());
      const record = batch && latestRecordIn(batch, partition.startOffset);
      if (record !== undefined && record.timestampMs > (latest?.timestampMs ?? -1)) latest = record;
      passedOver.add(found.baseOffset);
    }
    return latest && { offset: BigInt(latest.offset), timestampMs: BigInt(latest.timestampMs) };
  }

  /** By the indexes: the first of the batches with the latest time. */
  async #latestBatch(
    partition: ReadablePartition,
    end: number,
    passedOver: ReadonlySet<number>,
  ): Promise<LatestBatch | undefined> {
    let latest: LatestBatch | undefined;
    for (const segment of this.#journal.segments) {
      const summary = segment.index.summary(partition.id);
      if (summary === undefined || summary.maxTimestampMs <= (latest?.timestampMs ?? -1)) continue;
      const list = await segment.index.batches(partition.id);
      for (let i = list.firstEndingAtOrAfter(partition.startOffset); i < list.count; i++) {
        if (list.baseOffset(i) >= end) return latest;
        const timestampMs = list.maxTimestampMs(i);
        const baseOffset = list.baseOffset(i);
        if (timestampMs <= (latest?.timestampMs ?? -1) || passedOver.has(baseOffset)) continue;
        if (attributesAreControl(list.attributes(i))) continue;
        latest = { extent: extentOf(segment, partition.id, list, i), baseOffset, timestampMs };
      }
    }
    return latest;
  }

  /** The batches below `end` from the one that holds `offset` on, at most `maxBytes` but at least one. */
  async #plan(partition: ReadablePartition, offset: number, end: number, maxBytes: number): Promise<Extent[]> {
    const extents: Extent[] = [];
    let bytes = 0;
    for (const segment of this.#segmentsFrom(partition.id, offset)) {
      const pending = segment.index.batches(partition.id);
      const list = pending instanceof Promise ? await pending : pending;
      for (let i = list.firstEndingAtOrAfter(offset); i < list.count; i++) {
        if (list.baseOffset(i) >= end) return extents;
        bytes += list.batchBytes(i);
        if (bytes > maxBytes && extents.length > 0) return extents;
        extents.push(extentOf(segment, partition.id, list, i));
      }
      if (bytes >= maxBytes) return extents;
    }
    return extents;
  }

  /** From the segment that holds `offset` on. Live readers are near the end, so the search begins there. */
  #segmentsFrom(partitionId: number, offset: number): readonly Segment[] {
    const { segments } = this.#journal;
    for (let i = segments.length - 1; i >= 0; i--) {
      const firstOffset = segments[i]!.index.firstOffset(partitionId);
      if (firstOffset !== undefined && firstOffset <= offset) return segments.slice(i);
    }
    return segments;
  }

  /** The batches themselves, undefined for damaged ones. */
  async #fetch(extents: Extent[], room: ReadRoom): Promise<(Buffer | undefined)[]> {
    const batches: (Buffer | undefined)[] = extents.map(fromMemory);
    const missing = extents.filter((_, i) => batches[i] === undefined);
    if (missing.length === 0) return batches;
    const read = new Map<Extent, Buffer | undefined>();
    const spans = spansOf(missing);
    const small = spans.filter((span) => spanBytes(span) <= SMALL_SPAN_BYTES);
    const areMany = small.length >= MIN_PIECES;
    const others = areMany ? spans.filter((span) => spanBytes(span) > SMALL_SPAN_BYTES) : spans;
    if (areMany) await inParallel(runsOf(small), (run) => this.#readPieces(run, read, room), RUNS_AT_ONCE);
    await inParallel(others, (span) => this.#readSpan(span, read, room), MAX_PARALLEL_READS);
    return batches.map((batch, i) => batch ?? read.get(extents[i]!));
  }

  /** Reads many small spans at once where the disk can do that. */
  async #readPieces(spans: Extent[][], found: Map<Extent, Buffer | undefined>, room: ReadRoom): Promise<void> {
    const wanted: FilePieces[] = [];
    let segment: Segment | undefined;
    for (const span of spans) {
      if (span[0]!.segment !== segment) {
        segment = span[0]!.segment;
        wanted.push({ path: this.#journal.segmentPath(segment), places: [] });
      }
      wanted.at(-1)!.places.push({ position: span[0]!.position, sizeBytes: spanBytes(span) });
    }
    const pieces = await this.#openFiles.readPieces(wanted);
    if (pieces === undefined) await inParallel(spans, (span) => this.#readSpan(span, found, room), MAX_PARALLEL_READS);
    else for (const [i, span] of spans.entries()) this.#take(span, pieces[i]!, found);
  }

  async #readSpan(span: Extent[], found: Map<Extent, Buffer | undefined>, room: ReadRoom): Promise<void> {
    const bytes = room.take(spanBytes(span));
    const path = this.#journal.segmentPath(span[0]!.segment);
    const filled = await this.#openFiles.use(path, (file) => file.read(bytes, span[0]!.position));
    this.#take(span, bytes.subarray(0, filled), found);
  }

  /** @param bytes of the span, as far as the file has it */
  #take(span: Extent[], bytes: Buffer, found: Map<Extent, Buffer | undefined>): void {
    const { segment, position: start } = span[0]!;
    for (const extent of span) {
      const batch = batchIn(bytes, extent.position - start, extent);
      if (batch === undefined) this.#journal.reportDamage(segment, extent.position, frameEnd(extent));
      found.set(extent, batch);
    }
  }
}

/** Where the answer to one read is put: in the buffer that was lent for it, then in new ones. */
class ReadRoom {
  #rest: Buffer | undefined;

  constructor(lent?: Buffer) {
    this.#rest = lent;
  }

  take(sizeBytes: number): Buffer {
    if (this.#rest === undefined || this.#rest.length < sizeBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    const taken = this.#rest.subarray(0, sizeBytes);
    this.#rest = this.#rest.subarray(sizeBytes);
    return taken;
  }
}

/** What the system says about a read, as an error of ours. A file that is not there is for the caller to explain. */
function readFailure(error: unknown): unknown {
  if (!isSystemError(error) || hasCode(error, 'ENOENT')) return error;
  const mend = hasCode(error, 'EMFILE', 'ENFILE') ? { mend: TOO_MANY_FILES_MEND } : {};
  return new EngineError('read-failed', `records cannot be read: ${error.message}`, { cause: error, ...mend });
}

/** Cuts spans, in the order of their segments, into runs of a bounded number of pieces and files. */
function runsOf(spans: Extent[][]): Extent[][][] {
  const runs: Extent[][][] = [];
  let run: Extent[][] = [];
  let files = 0;
  let segment: Segment | undefined;
  for (const span of spans) {
    const isNewFile = span[0]!.segment !== segment;
    segment = span[0]!.segment;
    if (run.length === 0 || run.length === MAX_RUN_PIECES || (isNewFile && files === MAX_RUN_FILES)) {
      run = [];
      files = 0;
      runs.push(run);
    }
    run.push(span);
    if (isNewFile) files++;
  }
  return runs;
}

function abortedAmong(batches: readonly Buffer[], aborted: readonly AbortedRow[]): ReadResult['abortedTransactions'] {
  const [first, last] = [batches[0], batches.at(-1)];
  if (aborted.length === 0 || first === undefined || last === undefined) return [];
  const end = batchBaseOffset(last, 0) + batchLastOffsetDelta(last, 0) + 1;
  return abortedWithin(aborted, batchBaseOffset(first, 0), end).map(([producerId, firstOffset]) => ({
    producerId: BigInt(producerId),
    firstOffset: BigInt(firstOffset),
  }));
}

function checkRange(partition: ReadablePartition, offset: bigint): void {
  if (partition.isDeleted) throw new EngineError('unknown-topic', `topic ${partition.topic} was deleted`);
  if (offset < partition.startOffset || offset > partition.endOffset) {
    throw new EngineError(
      'offset-out-of-range',
      `offset ${offset} of ${partition.topic}/${partition.partition} is outside of its log, ` +
        `${partition.startOffset} to ${partition.endOffset}`,
    );
  }
}

function fromMemory(extent: Extent): Buffer | undefined {
  return extent.segment.tail?.find(extent.position + FRAME_HEADER.sizeBytes, extent.batchBytes);
}

interface LatestBatch {
  extent: Extent;
  baseOffset: number;
  timestampMs: number;
}

interface FoundRecord {
  offset: number;
  timestampMs: number;
}

/** The first record of a batch at or after that time. */
function firstRecordSince(bytes: Buffer, timestampMs: number, fromOffset: number): FoundRecord | undefined {
  for (const record of recordsFrom(bytes, fromOffset)) if (record.timestampMs >= timestampMs) return record;
  return undefined;
}

function latestRecordIn(bytes: Buffer, fromOffset: number): FoundRecord | undefined {
  let latest: FoundRecord | undefined;
  for (const record of recordsFrom(bytes, fromOffset)) {
    if (latest === undefined || record.timestampMs > latest.timestampMs) latest = record;
  }
  return latest;
}

/**
 * Offsets and times of a batch's records. Of a batch whose records cannot be unpacked here (a compression that is not
 * known, records that are badly encoded) its first offset stands for it, with the batch's latest time.
 */
function* recordsFrom(bytes: Buffer, fromOffset: number): Generator<FoundRecord> {
  for (const batch of iterateBatches(bytes)) {
    const baseOffset = Number(batch.header.baseOffset);
    try {
      const cursor = new RecordCursor(batch);
      while (cursor.next()) {
        const offset = baseOffset + cursor.offsetDelta;
        if (offset >= fromOffset) yield { offset, timestampMs: cursor.timestampMs };
      }
    } catch (error) {
      if (!(error instanceof RecordBatchError)) throw error;
      yield { offset: Math.max(baseOffset, fromOffset), timestampMs: Number(batch.header.maxTimestampMs) };
    }
  }
}
