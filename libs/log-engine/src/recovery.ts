/**
 * Opening a journal after whatever happened to it. The cases, one by one, stand in docs/formats/journal.md.
 *
 * Sealed segments are trusted through their index, or scanned when it is missing or not their own. The last segment
 * alone may end in a torn frame: it is scanned and cut there. Its opening checkpoint and the control records after it
 * give the state.
 */
import { join } from 'node:path';
import type { EngineEvent } from './api.ts';
import { batchBaseOffset, batchLastOffsetDelta } from './batch-header.ts';
import { type ControlRecord, parseControlRecord } from './control-record.ts';
import { type DiskFile, PARTIAL } from './disk.ts';
import { EngineError } from './errors.ts';
import { frameAppendTimeMs, frameSizeBytes, TEXT_CRC_BYTES } from './frame.ts';
import type { IndexedSegment, PartitionSummary } from './index-file.ts';
import { Journal } from './journal.ts';
import type { EngineContext } from './journal-context.ts';
import { type Checkpoint, JournalState } from './journal-state.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from './layout.ts';
import { addStored, PartitionProducers } from './partition-producers.ts';
import { addToIndex, openSealed, rebuildIndex, type SealedSegment } from './sealed-segment.ts';
import {
  ActiveSegment,
  INDEX_ENDING,
  parseSegmentFile,
  SEGMENT_ENDING,
  type SegmentName,
  segmentBaseName,
} from './segment.ts';
import { isNamed, readSegmentHeader, type SegmentHeader } from './segment-header.ts';
import { GrowingIndex } from './segment-index.ts';
import { type FrameVisitor, scanSegment } from './segment-scan.ts';
import { SegmentTail } from './tail-cache.ts';

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
    const sealed = await this.#openSealedSegments(names.slice(0, -1), last.volumeId);
    const tail = await this.#recoverTail(last);
    const journal = new Journal(this.#context, {
      volume: this.#volume,
      folder: this.#folder,
      volumeId: last.volumeId,
      appended: foldOf(tail),
      durable: foldOf(tail),
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

  async #openSealedSegments(names: SegmentName[], volumeId: Buffer): Promise<SealedSegment[]> {
    const segments: SealedSegment[] = [];
    for (const name of names) {
      const header = await this.#readHeader(name);
      if (header === undefined || !isNamed(header, name) || !header.volumeId.equals(volumeId)) {
        const what = header === undefined ? 'has no whole header' : 'belongs to another journal or place';
        this.#tell('range-damaged', `${this.#segmentPath(name)} ${what}; it is passed over`);
        continue;
      }
      const segment = await this.#openSealedSegment(name, header);
      if (segment !== undefined) segments.push(segment);
    }
    return segments;
  }

  async #openSealedSegment(name: SegmentName, header: SegmentHeader): Promise<SealedSegment | undefined> {
    const { disk, indexCache } = this.#context;
    const place = { disk, folder: this.#folder, indexCache };
    const identity: IndexedSegment = {
      volumeId: header.volumeId,
      segmentNumber: name.number,
      generation: name.generation,
      segmentBytes: await this.#withFile(name, (file) => file.sizeBytes()),
      segmentHeaderCrc: header.crc,
    };
    const segment = await openSealed(place, identity);
    if (segment !== undefined) return segment;
    const damaged = await rebuildIndex(place, identity);
    const path = this.#segmentPath(name);
    this.#tell('index-rebuilt', `${path}: its index was missing, damaged or not its own`);
    for (const { from, to } of damaged) {
      this.#tell('range-damaged', `${path}, bytes ${from} to ${to}: no whole frame; it is passed over`);
    }
    return openSealed(place, identity);
  }

  /**
   * Scans the last segment and cuts it behind its last whole frame.
   * @throws EngineError `journal-damaged`
   */
  async #recoverTail(header: SegmentHeader): Promise<Tail> {
    const path = this.#segmentPath({ number: header.segmentNumber, generation: 0 });
    const file = await this.#context.disk.openForWriting(path);
    try {
      const { segmentNumber } = header;
      const sizeBytes = await file.sizeBytes();
      const found = new TailFindings();
      const { endsAt } = await scanSegment(file, { segmentNumber, sizeBytes }, 'cut', found);
      // A segment gets its name only once its checkpoint is durable, so this is no torn tail that may be cut.
      if (found.checkpoint === undefined) {
        throw new EngineError('journal-damaged', `${path}, the newest of its journal, has no whole checkpoint`);
      }
      if (endsAt < sizeBytes) {
        await file.truncate(endsAt);
        this.#tell(
          'truncated-tail',
          `${path} was cut from ${sizeBytes} to ${endsAt} bytes, behind its last whole frame`,
        );
      }
      // What a killed process wrote may lie in the system's memory only; readers will see it, so it must stay.
      await file.sync();
      await this.#context.disk.syncFolder(this.#folder);
      const memory = new SegmentTail(this.#context.tailCache, endsAt);
      const segment = new ActiveSegment(segmentNumber, header.crc, memory, found.index, file);
      segment.checkpointBytes = found.checkpointBytes;
      const { checkpoint, records, nextOffsets, producers } = found;
      return { segment, checkpoint, records, nextOffsets, producers };
    } catch (error) {
      await file.close();
      throw error;
    }
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

/** What the last segment says. */
interface Tail {
  segment: ActiveSegment;
  checkpoint: Checkpoint;
  records: ControlRecord[];
  nextOffsets: ReadonlyMap<number, number>;
  producers: ReadonlyMap<number, PartitionProducers>;
}

/** Gathers what a scan of the last segment finds. A batch must go on just where its partition ended. */
class TailFindings implements FrameVisitor {
  readonly index = new GrowingIndex();
  readonly records: ControlRecord[] = [];
  readonly nextOffsets = new Map<number, number>();
  producers = new Map<number, PartitionProducers>();
  checkpoint: Checkpoint | undefined;
  checkpointBytes = 0;

  batch(partitionId: number, position: number, bytes: Buffer, at: number, sizeBytes: number): boolean {
    const baseOffset = batchBaseOffset(bytes, at);
    if (this.checkpoint === undefined || baseOffset !== (this.nextOffsets.get(partitionId) ?? 0)) return false;
    this.nextOffsets.set(partitionId, baseOffset + batchLastOffsetDelta(bytes, at) + 1);
    const appendTimeMs = frameAppendTimeMs(bytes, at - FRAME_HEADER.sizeBytes);
    addStored(this.producers, partitionId, bytes, at, baseOffset, appendTimeMs);
    return addToIndex(this.index, partitionId, position, bytes, at, sizeBytes);
  }

  control(text: string): void {
    this.records.push(parseControlRecord(text));
  }

  opening(text: string): void {
    const checkpoint = JSON.parse(text) as Checkpoint;
    for (const [id, , nextOffset] of checkpoint.partitions) this.nextOffsets.set(id, nextOffset);
    this.checkpointBytes = frameSizeBytes(TEXT_CRC_BYTES + Buffer.byteLength(text));
    this.producers = PartitionProducers.fromCheckpoint(checkpoint);
    this.checkpoint = checkpoint;
  }
}

/** The fold over a checkpoint and the records after it. */
function foldOf(tail: Tail): JournalState {
  const state = JournalState.fromCheckpoint(tail.checkpoint);
  for (const record of tail.records) state.apply(record);
  return state;
}

/** Sets where each partition's log starts and ends, and its size, from what the segments hold. */
function placePartitions(journal: Journal, sealed: SealedSegment[], tail: Tail): void {
  const firstOffsets = new Map<number, number>();
  for (const row of summaries(sealed, tail)) {
    if (!firstOffsets.has(row.partitionId)) firstOffsets.set(row.partitionId, row.firstOffset);
    const partition = journal.partitions.get(row.partitionId);
    if (partition !== undefined) partition.sizeBytes += row.batchBytes;
  }
  const startOffsets = new Map(tail.checkpoint.partitions.map(([id, startOffset]) => [id, startOffset]));
  for (const partition of journal.partitions.values()) {
    const { id } = partition;
    partition.endOffset = tail.nextOffsets.get(id) ?? 0;
    partition.visibleOffset = partition.endOffset;
    partition.producers = tail.producers.get(id);
    // Segments that were removed, or passed over as damaged, since the checkpoint take their part of the log with them.
    partition.startOffset = Math.max(startOffsets.get(id) ?? 0, firstOffsets.get(id) ?? partition.endOffset);
  }
}

function* summaries(sealed: SealedSegment[], tail: Tail): Generator<PartitionSummary, void, undefined> {
  for (const segment of sealed) yield* segment.index.directory.rows();
  for (const partitionId of tail.segment.index.lists.keys()) yield tail.segment.index.summary(partitionId)!;
}
