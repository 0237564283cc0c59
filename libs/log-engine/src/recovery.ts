/**
 * Opening a journal after whatever happened to it. The cases, one by one, stand in docs/formats/journal.md.
 *
 * Sealed segments are trusted through their index, or scanned when it is missing or not their own. The last segment is
 * always scanned (tail-recovery.ts): its opening checkpoint and the control records after it give the state.
 */
import { join } from 'node:path';
import type { EngineEvent } from './api.ts';
import { type DiskFile, PARTIAL } from './disk.ts';
import { EngineError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import type { IndexedSegment } from './index-file.ts';
import { Journal } from './journal.ts';
import type { EngineContext } from './journal-context.ts';
import { SEGMENT_HEADER } from './layout.ts';
import { tryToRemove } from './leftovers.ts';
import { openSealed, rebuildIndex, type SealedSegment } from './sealed-segment.ts';
import { INDEX_ENDING, parseSegmentFile, SEGMENT_ENDING, type SegmentName, segmentBaseName } from './segment.ts';
import { isNamed, readSegmentHeader, type SegmentHeader, type SideIdentity } from './segment-header.ts';
import { recoverTail, type Tail } from './tail-recovery.ts';

/** Opens the journal in `folder`; undefined when there is none, or none that ever held anything. */
export async function recoverJournal(
  context: EngineContext,
  volume: string,
  folder: string,
): Promise<Journal | undefined> {
  return new Recovery(context, volume, folder).run();
}

class Recovery {
  readonly #context: EngineContext;
  readonly #volume: string;
  readonly #folder: string;

  constructor(context: EngineContext, volume: string, folder: string) {
    this.#context = context;
    this.#volume = volume;
    this.#folder = folder;
  }

  async run(): Promise<Journal | undefined> {
    const names = await this.#tidyFolder();
    const lastName = names.at(-1);
    if (lastName === undefined) return undefined;
    const last = await this.#readLastHeader(lastName);
    const sealed = await this.#openSealedSegments(names.slice(0, -1), last);
    const tell = (kind: EngineEvent['kind'], detail: string): void => this.#tell(kind, detail);
    const tail = await recoverTail(this.#context, this.#folder, last, tell);
    await this.#lookForSuccessor(lastName);
    const journal = new Journal(this.#context, {
      volume: this.#volume,
      folder: this.#folder,
      volumeId: last.volumeId,
      appended: tail.appended,
      durable: tail.durable,
      sealed,
      active: tail.segment,
      nextSegmentNumber: last.segmentNumber + 1,
    });
    placePartitions(journal, sealed, tail);
    journal.keepQuota();
    const bytes = journal.sizeBytes;
    this.#tell('recovered', `${sealed.length + 1} segments, ${bytes} bytes, ${journal.durable.topics.size} topics`);
    return journal;
  }

  /** Removes what never counted, and gives the segments that are there, in order. */
  async #tidyFolder(): Promise<SegmentName[]> {
    const { disk } = this.#context;
    const names = (await disk.list(this.#folder)) ?? [];
    const present = new Set(names);
    for (const name of names) {
      const isOrphan = name.endsWith(INDEX_ENDING) && !present.has(name.replace(INDEX_ENDING, SEGMENT_ENDING));
      if (name.endsWith(PARTIAL) || isOrphan) await disk.remove(join(this.#folder, name));
    }
    return names
      .map(parseSegmentFile)
      .filter((name) => name !== undefined)
      .sort((a, b) => a.number - b.number || a.generation - b.generation);
  }

  /** @throws EngineError `not-a-segment`, `format-newer` */
  async #readLastHeader(name: SegmentName): Promise<SegmentHeader> {
    const header = await this.#readHeader(name);
    if (header !== undefined && isNamed(header, name)) return header;
    const path = this.#segmentPath(name);
    throw new EngineError(
      'not-a-segment',
      `${path}, the newest of its journal, does not begin with its segment header`,
    );
  }

  /** A segment gets its index only when the next one is in place: one that has both an index and no successor has lost it. */
  async #lookForSuccessor(name: SegmentName): Promise<void> {
    const { disk } = this.#context;
    const indexName = segmentBaseName(name) + INDEX_ENDING;
    if (!(await disk.list(this.#folder))?.includes(indexName)) return;
    this.#tell(
      'range-damaged',
      `${this.#segmentPath(name)} had a successor, which is missing with all that came after`,
    );
    // It will not be true any more once this segment goes on.
    await disk.remove(join(this.#folder, indexName));
  }

  async #openSealedSegments(names: SegmentName[], last: SegmentHeader): Promise<SealedSegment[]> {
    const headers = await this.#readSealedHeaders(names, last);
    const opened = await inParallel([...headers.entries()], ([i, { name, header }]) => {
      const next = headers.slice(i + 1).find((other) => other.header.side === undefined)?.header ?? last;
      return this.#openSealedSegment(name, header, next.createdAtMs);
    });
    return opened.filter((segment) => segment !== undefined);
  }

  /** The segments that count, with their headers. Those whose remains a side segment carries are removed. */
  async #readSealedHeaders(
    names: SegmentName[],
    last: SegmentHeader,
  ): Promise<{ name: SegmentName; header: SegmentHeader }[]> {
    const whole: { name: SegmentName; header: SegmentHeader }[] = [];
    const refused: { name: SegmentName; what: string }[] = [];
    const headers = await inParallel(names, (name) => this.#readHeader(name));
    for (const [i, name] of names.entries()) {
      const header = headers[i];
      if (header === undefined) refused.push({ name, what: 'has no whole header' });
      else if (isNamed(header, name) && header.volumeId.equals(last.volumeId)) whole.push({ name, header });
      else refused.push({ name, what: 'belongs to another journal or place' });
    }
    const sides = whole.flatMap(({ header: { side, segmentNumber } }) => (side ? [{ ...side, segmentNumber }] : []));
    const obsolete = names.filter((name) => sides.some((side) => carries(side, name)));
    // The side segment's own name first: a crash could take that back, but not what was removed for it.
    if (obsolete.length > 0) await this.#context.disk.syncFolder(this.#folder);
    for (const name of obsolete) await this.#removeObsolete(name);
    for (const { name, what } of refused.filter((other) => !obsolete.includes(other.name))) {
      this.#tell('range-damaged', `${this.#segmentPath(name)} ${what}; it is passed over`);
    }
    return whole.filter(({ name }) => !obsolete.includes(name));
  }

  /** Its segment first: an index alone is known as a left-over. */
  async #removeObsolete(name: SegmentName): Promise<void> {
    const path = this.#segmentPath(name);
    const onLeftover = (detail: string): void => this.#tell('leftover-stays', detail);
    await tryToRemove(path, onLeftover, async () => {
      await this.#context.disk.remove(path);
      await this.#context.disk.remove(join(this.#folder, segmentBaseName(name) + INDEX_ENDING));
    });
  }

  /** @param endedAtMs when a plain segment was followed by the next one */
  async #openSealedSegment(
    name: SegmentName,
    header: SegmentHeader,
    endedAtMs: number,
  ): Promise<SealedSegment | undefined> {
    const { disk, indexCache } = this.#context;
    const place = { disk, folder: this.#folder, indexCache };
    const identity: IndexedSegment = {
      volumeId: header.volumeId,
      segmentNumber: name.number,
      generation: name.generation,
      segmentBytes: await this.#withFile(name, (file) => file.sizeBytes()),
      segmentHeaderCrc: header.crc,
    };
    const details = {
      appendedUntilMs: header.side?.appendedUntilMs ?? endedAtMs,
      carriesFrom: header.side?.carriesFrom,
    };
    const segment = await openSealed(place, identity, details);
    if (segment !== undefined) return segment;
    const damaged = await rebuildIndex(place, identity);
    const path = this.#segmentPath(name);
    this.#tell('index-rebuilt', `${path}: its index was missing, damaged or not its own`);
    for (const { from, to } of damaged) {
      this.#tell('range-damaged', `${path}, bytes ${from} to ${to}: no whole frame; it is passed over`);
    }
    return openSealed(place, identity, details);
  }

  async #readHeader(name: SegmentName): Promise<SegmentHeader | undefined> {
    const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
    const read = await this.#withFile(name, (file) => file.read(bytes, 0));
    return readSegmentHeader(bytes.subarray(0, read), this.#segmentPath(name));
  }

  async #withFile<T>(name: SegmentName, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const file = await this.#context.disk.openForReading(this.#segmentPath(name));
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }

  #segmentPath(name: SegmentName): string {
    return join(this.#folder, segmentBaseName(name) + SEGMENT_ENDING);
  }

  #tell(kind: EngineEvent['kind'], detail: string): void {
    this.#context.onEvent({ kind, volume: this.#volume, detail });
  }
}

/** True when the remains of that segment are in the side segment, so it does not count any more. */
function carries(side: SideIdentity & { segmentNumber: number }, name: SegmentName): boolean {
  const isWithin = side.carriesFrom <= name.number && name.number <= side.segmentNumber;
  return isWithin && name.generation < side.generation;
}

/** Sets where each partition's log starts and ends, and its size, from what the segments hold. */
function placePartitions(journal: Journal, sealed: SealedSegment[], tail: Tail): void {
  const firstOffsets = new Map<number, number>();
  const count = (partitionId: number, firstOffset: number, batchBytes: number): void => {
    if (!firstOffsets.has(partitionId)) firstOffsets.set(partitionId, firstOffset);
    const partition = journal.partitions.get(partitionId);
    if (partition !== undefined) partition.sizeBytes += batchBytes;
  };
  for (const { index } of sealed) {
    const { directory } = index;
    // Column by column: thousands of topics in a hundred segments are a row for each of them in each.
    for (let i = 0; i < directory.count; i++) {
      count(directory.partitionId(i), directory.firstOffset(i), directory.batchBytes(i));
    }
  }
  for (const partitionId of tail.segment.index.lists.keys()) {
    const { firstOffset, batchBytes } = tail.segment.index.summary(partitionId)!;
    count(partitionId, firstOffset, batchBytes);
  }
  const compacted = new Map(tail.checkpoint.compacted);
  const startOffsets = new Map(tail.checkpoint.partitions.map(([id, startOffset]) => [id, startOffset]));
  for (const partition of journal.partitions.values()) {
    const { id } = partition;
    partition.endOffset = tail.nextOffsets.get(id) ?? 0;
    partition.compactedUntil = compacted.get(id) ?? 0;
    partition.visibleOffset = partition.endOffset;
    partition.producers = tail.producers.get(id);
    partition.startAt(Math.max(startOffsets.get(id) ?? 0, tail.appended.movedStarts.get(id) ?? 0));
    // Segments that were removed, or passed over as damaged, since the checkpoint take their part of the log with them.
    // A compacted log may begin with a gap.
    const firstOffset = firstOffsets.get(id) ?? partition.endOffset;
    if (!partition.policy.isCompacted || firstOffset === partition.endOffset) partition.startAt(firstOffset);
  }
}
