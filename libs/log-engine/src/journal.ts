import { join } from 'node:path';
import type { AppendResult, Durability, EngineEvent } from './api.ts';
import { batchLastOffsetDelta, batchSizeBytes, checkBatches } from './batch-header.ts';
import type { ControlRecord } from './control-record.ts';
import { isDiskFull } from './disk.ts';
import { EngineError } from './errors.ts';
import { FRAME_TYPES, frameSizeBytes } from './frame.ts';
import type { Group, Settle } from './group.ts';
import { GroupCommit } from './group-commit.ts';
import type { EngineContext, JournalCut, JournalStart } from './journal-context.ts';
import { JournalReader } from './journal-reader.ts';
import type { Checkpoint, JournalState } from './journal-state.ts';
import { Partition } from './partition.ts';
import { openSealed, SealedSegment, writeIndex } from './sealed-segment.ts';
import { ActiveSegment, INDEX_ENDING, SEGMENT_ENDING, type Segment, segmentBaseName } from './segment.ts';
import { SegmentTail } from './tail-cache.ts';
import { maxBatchBytes } from './topic-settings.ts';

/** Appends wait for their turn while so many bytes are not written yet. */
const MAX_UNWRITTEN_BYTES = 8 * 1024 * 1024;
/** Positions count in 32 bits, and recovery reads the last segment whole. */
const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;
/** A quota must hold several segments, for only whole ones can be removed. */
const SEGMENTS_PER_QUOTA = 4;

/** One volume's journal: gives appends their offsets and places, rolls segments, keeps the quota. */
export class Journal {
  readonly volume: string;
  readonly reader: JournalReader;
  /** What readers of topics and group offsets see. */
  readonly durable: JournalState;
  readonly partitions = new Map<number, Partition>();
  segments: readonly (ActiveSegment | SealedSegment)[];
  /** Why nothing can be appended any more. */
  stopped: EngineError | undefined;
  /** Set when nothing can be read any more either. */
  closed: EngineError | undefined;
  #closing: EngineError | undefined;
  /** Cuts whose segments retention may not take from the disk yet, and those that it would have taken. */
  #heldCuts = 0;
  #heldSegments: SealedSegment[] = [];

  readonly #context: EngineContext;
  readonly #folder: string;
  readonly #volumeId: Buffer;
  readonly #appended: JournalState;
  readonly #commit: GroupCommit;
  readonly #segmentBytes: number;
  #active: ActiveSegment;
  #diskBytes: number;
  #waiting: { run: () => void; fail: (error: unknown) => void }[] = [];
  #background: Promise<void> = Promise.resolve();
  readonly #reportedDamage = new Set<string>();

  constructor(context: EngineContext, start: JournalStart) {
    this.#context = context;
    this.volume = start.volume;
    this.#folder = start.folder;
    this.#volumeId = start.volumeId;
    this.#appended = start.appended;
    this.durable = start.durable;
    this.#segmentBytes = Math.min(
      context.segmentBytes,
      Math.floor(context.volumeQuotaBytes / SEGMENTS_PER_QUOTA),
      MAX_SEGMENT_BYTES,
    );
    for (const topic of this.#appended.topics.values()) this.#addPartitions(topic);
    this.#active = start.active ?? this.#beginSegment(start.nextSegmentNumber);
    this.segments = [...start.sealed, this.#active];
    this.#diskBytes = this.segments.reduce((sum, segment) => sum + segment.sizeBytes + segment.indexBytes, 0);
    this.reader = new JournalReader(this, context.openFiles);
    this.#commit = new GroupCommit(context.disk, start.folder, this.#active, {
      onWritten: (group) => this.#onWritten(group),
      onSynced: (group) => this.#onSynced(group),
      onRolled: (segment) => this.#seal(segment),
      onFailed: (cause) => this.#stopAfter(cause),
    });
  }

  /** Bytes of all segments and indexes. */
  get sizeBytes(): number {
    return this.#diskBytes;
  }

  /** Gives the batches their offsets and appends them; see `PartitionLog.append`. */
  append(partition: Partition, batches: Uint8Array, durability: Durability): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.isBuffer(batches)
        ? batches
        : Buffer.from(batches.buffer, batches.byteOffset, batches.length);
      checkBatches(bytes, partition.maxBatchBytes);
      this.#checkQuota(bytes.length);
      this.#inTurn(() => {
        if (partition.isDeleted) throw new EngineError('unknown-topic', `topic ${partition.topic} was deleted`);
        const { group, result } = this.#appendBatches(partition, bytes);
        const settle: Settle = (error) => (error === undefined ? resolve(result) : reject(error));
        if (durability === 'synced') group.whenSynced(settle);
        else if (durability === 'written') group.whenWritten(settle);
        else resolve(result);
      }, reject);
    });
  }

  /**
   * Appends a control record and resolves when it is durable.
   * @param decide makes the record when its turn comes, from all that was appended before; may throw
   */
  record<R extends ControlRecord>(decide: (state: JournalState) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#inTurn(() => {
        const record = decide(this.#appended);
        const text = JSON.stringify(record);
        this.#checkQuota(text.length);
        this.#makeRoom(frameSizeBytes(Buffer.byteLength(text)));
        const frameBytes = this.#active.appendText(FRAME_TYPES.control, text, this.#context.clock());
        const group = this.#gather(frameBytes);
        this.#applyAppended(record);
        group.records.push(record);
        group.whenSynced((error) => (error === undefined ? resolve(record) : reject(error)));
      }, reject);
    });
  }

  /**
   * Ends the active segment where the log stands now; resolves when everything up to there is durable and sealed.
   * Appends go on. Sealed files never change again, and a next segment is in place before one is sealed, so recovery
   * never cuts into them either.
   */
  async cut(): Promise<JournalCut> {
    const { segments, ...cut } = await new Promise<JournalCut>((resolve, reject) => {
      this.#inTurn(() => resolve(this.#cutNow()), reject);
    });
    try {
      for (const segment of segments) if (segment instanceof ActiveSegment) await segment.sealing.promise;
      return { ...cut, segments: segments.map(({ number, sizeBytes }) => ({ number, sizeBytes })) };
    } catch (error) {
      cut.release();
      throw error;
    }
  }

  segmentPath(segment: { number: number }): string {
    return join(this.#folder, segmentBaseName(segment.number) + SEGMENT_ENDING);
  }

  reportDamage(segment: Segment, from: number, to: number): void {
    if (this.closed !== undefined) return;
    const range = `${this.segmentPath(segment)}, bytes ${from} to ${to}`;
    if (this.#reportedDamage.has(range)) return;
    this.#reportedDamage.add(range);
    this.#tell('range-damaged', `${range}: does not match its CRC; readers pass over it`);
  }

  /** Removes the oldest segments until the volume, and what is about to come, fits its quota. */
  keepQuota(incomingBytes = 0): void {
    while (this.#diskBytes + incomingBytes > this.#context.volumeQuotaBytes && this.#removeOldest()) {
      // Each round removes one.
    }
  }

  /**
   * Takes no more appends, makes what there is durable, closes its files.
   * @param reason what those learn who append or read from now on
   */
  async close(reason = new EngineError('volume-stopped', `volume ${this.volume} is closed`)): Promise<void> {
    this.#closing = reason;
    await this.#commit.idle();
    for (let seen: Promise<void> | undefined; seen !== this.#background; await seen) seen = this.#background;
    this.closed = reason;
    this.stopped ??= reason;
    for (const segment of this.segments) if (segment instanceof ActiveSegment) await segment.file?.close();
    this.forgetInMemory();
  }

  /** As `close`, of a volume that is deleted; who appends or reads, or waits for records, learns that. */
  closeDeleted(): Promise<void> {
    for (const partition of this.partitions.values()) partition.delete();
    return this.close(new EngineError('unknown-topic', `volume ${this.volume} was deleted`));
  }

  /** Lets go of all that it keeps in memory and of open files. */
  forgetInMemory(): void {
    for (const segment of this.segments) this.#forgetInMemory(segment);
  }

  /** Runs appends in the order of calls, each when the bytes before it have gone far enough. */
  #inTurn(run: () => void, fail: (error: unknown) => void): void {
    const turn = { run, fail };
    if (this.stopped !== undefined) fail(this.stopped);
    else if (this.#closing !== undefined) fail(this.#closing);
    else if (this.#waiting.length > 0 || this.#commit.unwrittenBytes >= MAX_UNWRITTEN_BYTES) this.#waiting.push(turn);
    else takeTurn(turn);
  }

  #appendBatches(partition: Partition, bytes: Buffer): { group: Group; result: AppendResult } {
    const appendTimeMs = this.#context.clock();
    const baseOffset = partition.endOffset;
    let group: Group | undefined;
    for (let at = 0; at < bytes.length; ) {
      const sizeBytes = batchSizeBytes(bytes, at);
      this.#makeRoom(frameSizeBytes(sizeBytes));
      const frameBytes = this.#active.appendBatch(
        partition.id,
        partition.endOffset,
        appendTimeMs,
        bytes,
        at,
        sizeBytes,
      );
      partition.endOffset += batchLastOffsetDelta(bytes, at) + 1;
      partition.sizeBytes += sizeBytes;
      group = this.#gather(frameBytes);
      group.reach(partition, partition.endOffset);
      at += sizeBytes;
    }
    const result = {
      baseOffset: BigInt(baseOffset),
      lastOffset: BigInt(partition.endOffset - 1),
      appendTimeMs,
      logStartOffset: partition.logStartOffset,
    };
    return { group: group!, result };
  }

  #gather(frameBytes: number): Group {
    this.#diskBytes += frameBytes;
    return this.#commit.gather(this.#active, frameBytes);
  }

  /** @throws EngineError `volume-full` */
  #checkQuota(sizeBytes: number): void {
    const limit = Math.floor(this.#context.volumeQuotaBytes / SEGMENTS_PER_QUOTA);
    if (sizeBytes <= limit) return;
    throw new EngineError(
      'volume-full',
      `${sizeBytes} bytes at once do not fit volume ${this.volume}: its quota of ` +
        `${this.#context.volumeQuotaBytes} bytes allows ${limit}`,
    );
  }

  /** Begins a new segment where the active one is full, and lets old ones go where the quota asks for it. */
  #makeRoom(frameBytes: number): void {
    const { appendedBytes, checkpointBytes } = this.#active;
    // A checkpoint never takes more than half of a segment, however small segments are set.
    if (appendedBytes >= Math.max(this.#segmentBytes - checkpointBytes, checkpointBytes)) this.#beginNextSegment();
    this.keepQuota(frameBytes);
  }

  #beginNextSegment(): void {
    this.#active = this.#beginSegment(this.#active.number + 1);
    this.#diskBytes += this.#active.sizeBytes;
    this.segments = [...this.segments, this.#active];
  }

  #cutNow(): JournalCut {
    if (this.#active.appendedBytes > 0) {
      this.#beginNextSegment();
      // Nothing may be appended for long: the new segment is put on the disk all the same, and so the old one sealed.
      this.#commit.gather(this.#active, 0);
    }
    this.#heldCuts++;
    return {
      checkpoint: this.#appended.toCheckpoint(this.#places()),
      volumeId: this.#volumeId,
      folder: this.#folder,
      segments: this.segments.slice(0, -1),
      release: () => this.#releaseCut(),
    };
  }

  #releaseCut(): void {
    if (--this.#heldCuts > 0) return;
    for (const segment of this.#heldSegments.splice(0)) this.#removeFiles(segment);
  }

  /** Where each partition's log starts and ends. */
  #places(): Checkpoint['partitions'] {
    return [...this.partitions.values()].map(({ id, startOffset, endOffset }) => [id, startOffset, endOffset]);
  }

  #beginSegment(segmentNumber: number): ActiveSegment {
    const identity = { volumeId: this.#volumeId, segmentNumber, createdAtMs: this.#context.clock() };
    const checkpoint = JSON.stringify(this.#appended.toCheckpoint(this.#places()));
    return ActiveSegment.begin(identity, checkpoint, new SegmentTail(this.#context.tailCache, 0));
  }

  #applyAppended(record: ControlRecord): void {
    if (record.kind === 'topic-deleted') {
      for (const id of this.#appended.topics.get(record.name)?.partitionIds ?? []) {
        this.partitions.get(id)?.delete();
        this.partitions.delete(id);
      }
    }
    this.#appended.apply(record);
    if (record.kind === 'topic-created') this.#addPartitions(record);
  }

  #addPartitions(topic: { name: string; partitionIds: number[]; settings: Record<string, string> }): void {
    topic.partitionIds.forEach((id, number) => {
      this.partitions.set(id, new Partition(this, topic.name, number, id, maxBatchBytes(topic.settings)));
    });
  }

  #onWritten(group: Group): void {
    if (this.durable.visibility === 'written') group.show();
    group.settleWritten();
    while (this.#waiting.length > 0 && this.#commit.unwrittenBytes < MAX_UNWRITTEN_BYTES) {
      takeTurn(this.#waiting.shift()!);
    }
  }

  #onSynced(group: Group): void {
    for (const record of group.records) this.durable.apply(record);
    group.show();
    group.settleSynced();
  }

  /** Puts the index of a complete segment in place, beside the appends that go on. */
  #seal(segment: ActiveSegment): void {
    this.#inBackground(async () => {
      const place = { disk: this.#context.disk, folder: this.#folder, indexCache: this.#context.indexCache };
      const identity = {
        volumeId: this.#volumeId,
        segmentNumber: segment.number,
        segmentBytes: segment.sizeBytes,
        segmentHeaderCrc: segment.headerCrc,
      };
      await writeIndex(place, identity, segment.index);
      const sealed = await openSealed(place, identity, segment.tail);
      if (sealed === undefined) throw new Error(`the index just written for segment ${segment.number} cannot be read`);
      this.segments = this.segments.map((other) => (other === segment ? sealed : other));
      this.#diskBytes += sealed.indexBytes;
      segment.sealing.resolve();
      this.#tell('segment-sealed', `segment ${segment.number}, ${segment.sizeBytes} bytes`);
      this.keepQuota();
    });
  }

  #removeOldest(): boolean {
    const oldest = this.segments[0];
    if (!(oldest instanceof SealedSegment)) return false;
    this.segments = this.segments.slice(1);
    this.#diskBytes -= oldest.sizeBytes + oldest.indexBytes;
    for (const row of oldest.index.directory.rows())
      this.partitions.get(row.partitionId)?.drop(row.lastOffset, row.batchBytes);
    this.#forgetInMemory(oldest);
    if (this.#heldCuts > 0) this.#heldSegments.push(oldest);
    else this.#removeFiles(oldest);
    return true;
  }

  #removeFiles(segment: SealedSegment): void {
    this.#inBackground(async () => {
      const path = this.segmentPath(segment);
      // The segment first: an index without its segment is known as a left-over, the other way round it would be rebuilt.
      await this.#context.disk.remove(path);
      await this.#context.disk.remove(join(this.#folder, segmentBaseName(segment.number) + INDEX_ENDING));
      this.#context.openFiles.forget(path);
      this.#tell('segment-removed', `segment ${segment.number}, ${segment.sizeBytes} bytes, for the volume's quota`);
    });
  }

  #forgetInMemory(segment: Segment): void {
    if (segment.tail !== undefined) this.#context.tailCache.forget(segment.tail);
    if (segment instanceof SealedSegment) segment.index.forget();
    this.#context.openFiles.forget(this.segmentPath(segment));
  }

  #inBackground(work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((cause) => {
      this.#stopAfter(cause);
    });
  }

  #stopAfter(cause: unknown): EngineError {
    if (this.stopped !== undefined) return this.stopped;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = isDiskFull(cause)
      ? new EngineError('disk-full', `volume ${this.volume} stopped, its disk is full: ${reason}`, { cause })
      : new EngineError('volume-stopped', `volume ${this.volume} stopped: ${reason}`, { cause });
    this.stopped = error;
    this.#tell('volume-stopped', error.message, error.mend);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { fail } of waiting) fail(error);
    for (const segment of this.segments) if (segment instanceof ActiveSegment) segment.sealing.reject(error);
    return error;
  }

  #tell(kind: EngineEvent['kind'], detail: string, mend?: string): void {
    this.#context.onEvent({ kind, volume: this.volume, detail, ...(mend === undefined ? {} : { mend }) });
  }
}

function takeTurn({ run, fail }: { run: () => void; fail: (error: unknown) => void }): void {
  try {
    run();
  } catch (error) {
    fail(error);
  }
}
