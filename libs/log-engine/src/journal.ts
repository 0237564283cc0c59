import type { AppendResult, Durability, EngineEvent } from './api.ts';
import { batchHasProducer, batchLastOffsetDelta, batchSizeBytes, checkBatches } from './batch-header.ts';
import type { ControlRecord, LogStartRow } from './control-record.ts';
import { isDiskFull } from './disk.ts';
import { EngineError } from './errors.ts';
import { FRAME_TYPES, frameSizeBytes } from './frame.ts';
import type { Group, Settle } from './group.ts';
import { GroupCommit } from './group-commit.ts';
import type { EngineContext, JournalCut, JournalStart, JournalTurn } from './journal-context.ts';
import { JournalReader } from './journal-reader.ts';
import { JournalRoom } from './journal-room.ts';
import type { Checkpoint, JournalState } from './journal-state.ts';
import type { Partition } from './partition.ts';
import { PartitionSet } from './partition-set.ts';
import type { UnstableTransaction } from './partition-transactions.ts';
import { admitProducers } from './producer-admission.ts';
import { nameProducers } from './producer-batches.ts';
import type { SealedSegment } from './sealed-segment.ts';
import { ActiveSegment, type Segment, type SegmentName } from './segment.ts';
import { SegmentSet } from './segment-set.ts';
import { Turns } from './turns.ts';
import { Upkeep } from './upkeep.ts';

/** Appends wait for their turn while so many bytes are not written yet. */
const MAX_UNWRITTEN_BYTES = 8 * 1024 * 1024;
/** Records after which logs may want less, or more, of what segments hold. */
const CHANGES_WANTS: ReadonlySet<string> = new Set<ControlRecord['kind']>([
  'topic-altered',
  'topic-deleted',
  'log-starts-moved',
]);

/** One volume's journal: gives appends their offsets and places, rolls segments, keeps the quota. */
export class Journal {
  readonly volume: string;
  readonly reader: JournalReader;
  /** What readers of topics and group offsets see. */
  readonly durable: JournalState;
  readonly partitions = new PartitionSet(this);
  /** See `WantingPartitions`. */
  wantChanges = 0;
  /** Why nothing can be appended any more. */
  stopped: EngineError | undefined;
  /** Set when nothing can be read any more either. */
  closed: EngineError | undefined;
  #closing: EngineError | undefined;

  readonly #context: EngineContext;
  readonly #appended: JournalState;
  readonly #commit: GroupCommit;
  readonly #segments: SegmentSet;
  readonly #upkeep: Upkeep;
  readonly #room: JournalRoom;
  #waitsForSealing = false;
  #isCutting = false;
  readonly #turns = new Turns(() => !this.#waitsForSealing && this.#commit.unwrittenBytes < MAX_UNWRITTEN_BYTES);
  readonly #reportedDamage = new Set<string>();

  constructor(context: EngineContext, start: JournalStart) {
    this.#context = context;
    this.volume = start.volume;
    this.#appended = start.appended;
    this.durable = start.durable;
    for (const topic of this.#appended.topics.values()) this.partitions.setTopic(topic);
    this.#segments = new SegmentSet(context, start, {
      checkpoint: () => this.#checkpoint(),
      onRemoved: (segment) => this.#dropRecordsOf(segment),
      onCarried: (run, into) => this.partitions.countCarried(run, into),
      onSealed: () => {
        this.#waitsForSealing = false;
        this.#turns.go();
      },
      onScarce: () => this.#upkeep.wake(),
      skipTo: (segment, older) => this.#skipTo(segment, older),
      mayRemove: (segment) => this.#upkeep.worth.of(segment).keptBytes === 0,
      onFailed: (cause) => this.#stopAfter(cause),
      tell: (kind, detail) => this.#tell(kind, detail),
    });
    this.#upkeep = new Upkeep(this, this.#segments, context, (reason) => this.#tell('maintenance-failed', reason));
    this.#room = new JournalRoom(this.volume, context, this.#segments, this.#upkeep);
    this.reader = new JournalReader(this, context.openFiles);
    this.#commit = new GroupCommit(context.disk, start.folder, this.#segments.active, {
      isHurried: (group) => this.durable.visibility === 'synced' || group.isSyncAwaited,
      onWritten: (group) => this.#onWritten(group),
      onSynced: (group) => this.#onSynced(group),
      onRolled: (segment) => this.#segments.seal(segment),
      onFailed: (cause) => this.#stopAfter(cause),
    });
  }

  /** Bytes of all segments and indexes. */
  get sizeBytes(): number {
    return this.#segments.diskBytes;
  }

  get segments(): readonly Segment[] {
    return this.#segments.list;
  }

  /** Gives the batches their offsets and appends them; see `PartitionLog.append`. */
  append(partition: Partition, batches: Uint8Array, durability: Durability): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.isBuffer(batches)
        ? batches
        : Buffer.from(batches.buffer, batches.byteOffset, batches.length);
      checkBatches(bytes, partition.policy.maxBatchBytes, this.#context.mayHaveGaps);
      this.#room.checkSize(bytes.length);
      const doName = nameProducers(bytes);
      const run = (): void => {
        if (partition.isDeleted) throw new EngineError('unknown-topic', `topic ${partition.topic} was deleted`);
        const original = doName ? admitProducers(partition, bytes, this.#context.transactions) : undefined;
        // What lies in the log already needs no room.
        if (original === undefined && this.#mustWaitForRoom(bytes.length)) {
          this.#turns.takeAgain(run, reject);
          return;
        }
        const { group, result } =
          original === undefined
            ? this.#appendBatches(partition, bytes)
            : { group: this.#groupOfAllSoFar(), result: original };
        const settle: Settle = (error) => (error === undefined ? resolve(result) : reject(error));
        if (durability === 'synced') group.whenSynced(settle);
        else if (durability === 'written') group.whenWritten(settle);
        else resolve(result);
      };
      this.#inTurn(run, reject);
    });
  }

  /**
   * Appends a control record and resolves when it is durable.
   * @param decide makes the record when its turn comes, from all that was appended before; may throw
   */
  record<R extends ControlRecord>(decide: (state: JournalState) => R): Promise<R> {
    return this.inOneTurn((turn) => {
      const record = decide(turn.state);
      turn.record(record);
      return record;
    });
  }

  /**
   * Does the work when its turn comes, and resolves to what it gave when all that was appended up to then is durable.
   * @param work throws before it appends anything, or not at all
   */
  inOneTurn<T>(work: (turn: JournalTurn) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#inTurn(() => {
        const result = work({
          state: this.#appended,
          partition: (topic, number) => this.#findPartition(topic, number),
          append: (partition, batches) => void this.#appendBatches(partition, batches),
          record: (record) => this.#appendRecord(record),
        });
        this.#groupOfAllSoFar().whenSynced((error) => (error === undefined ? resolve(result) : reject(error)));
      }, reject);
    });
  }

  /** See `PartitionLog.deleteRecordsBefore`. */
  async deleteRecordsBefore(partition: Partition, offset: bigint): Promise<bigint> {
    const { starts } = await this.record(() => {
      const startOffset = partition.checkedStart(offset);
      return { kind: 'log-starts-moved', starts: [[partition.id, startOffset]] } as const;
    });
    return BigInt(starts[0]![1]);
  }

  /** Retention's decision on where logs start; durable when resolved. */
  async moveLogStarts(starts: LogStartRow[]): Promise<void> {
    await this.record(() => ({ kind: 'log-starts-moved', starts }) as const);
  }

  /** Begins a new segment; resolves when the one before is sealed. */
  async endActiveSegment(): Promise<void> {
    const ended = this.#segments.active;
    await new Promise<void>((resolve, reject) => {
      this.#inTurn(() => {
        if (this.#segments.active === ended) this.#endActiveNow();
        resolve();
      }, reject);
    });
    await ended.sealing.promise;
  }

  /** Resolves when everything that was appended so far is durable. */
  durableSoFar(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inTurn(() => {
        this.#groupOfAllSoFar().whenSynced((error) => (error === undefined ? resolve() : reject(error)));
      }, reject);
    });
  }

  /** A round of retention; what fails is told as an event. */
  maintain(): Promise<void> {
    return this.#upkeep.run();
  }

  /** True when nothing may be begun any more. */
  get isEnding(): boolean {
    return this.#closing !== undefined || this.stopped !== undefined;
  }

  /**
   * Ends the active segment where the log stands now, behind every append that was asked for before. Appends go on. Nothing
   * is awaited: journals that are cut one after the other are cut at one moment. A next segment is in place before one is
   * sealed, so recovery never cuts into what belongs to the cut.
   */
  cut(): JournalCut {
    const refusal = this.stopped ?? this.#closing;
    if (refusal !== undefined) throw refusal;
    // Those that wait have been asked for before; their bytes lie in memory already.
    this.#waitsForSealing = false;
    this.#isCutting = true;
    this.#turns.runAll();
    this.#isCutting = false;
    const segments = this.#segments;
    if (segments.active.appendedBytes > 0) this.#endActiveNow();
    segments.holdFiles();
    const held = segments.list.slice(0, -1);
    const sealing = held.flatMap((segment) => (segment instanceof ActiveSegment ? [segment.sealing.promise] : []));
    const sealed = Promise.all(sealing).then(() => undefined);
    // Whoever waits for it still sees it; nobody does where the cut of another volume failed.
    sealed.catch(() => undefined);
    return {
      checkpoint: this.#checkpoint(),
      volumeId: segments.volumeId,
      folder: segments.folder,
      segments: held.map(({ number, generation, sizeBytes }) => ({ number, generation, sizeBytes })),
      sealed,
      release: () => segments.releaseFiles(),
    };
  }

  /** A file that has left the catalog is gone from the disk too. */
  forgetRemovedFile(path: string): void {
    this.#appended.removedFiles.delete(path);
    this.durable.removedFiles.delete(path);
  }

  segmentPath(segment: SegmentName): string {
    return this.#segments.path(segment);
  }

  reportDamage(segment: Segment, from: number, to: number): void {
    if (this.closed !== undefined) return;
    const range = `${this.segmentPath(segment)}, bytes ${from} to ${to}`;
    if (this.#reportedDamage.has(range)) return;
    this.#reportedDamage.add(range);
    this.#tell('range-damaged', `${range}: does not match its CRC; readers pass over it`);
  }

  /** Forgets producers that appended nothing for so long. Their open transactions keep them. */
  expireProducers(expiryMs: number): void {
    this.partitions.expireProducers(this.#context.clock() - expiryMs);
  }

  /** Removes the oldest segments until the volume fits its quota. */
  keepQuota(): void {
    this.#segments.keepQuota();
  }

  /**
   * Takes no more appends, makes what there is durable, closes its files.
   * @param reason what those learn who append or read from now on
   */
  async close(reason = new EngineError('volume-stopped', `volume ${this.volume} is closed`)): Promise<void> {
    this.#closing = reason;
    await this.#upkeep.idle();
    // Who waits for room has a turn when a segment is sealed.
    do {
      await this.#commit.idle();
      await this.#segments.idle();
    } while (this.stopped === undefined && (this.#turns.count > 0 || this.#commit.unwrittenBytes > 0));
    await this.#markSynced();
    await this.#segments.idle();
    this.closed = reason;
    this.stopped ??= reason;
    await this.#segments.closeFiles();
    this.forgetInMemory();
  }

  /** As `close`, of a volume that is deleted; who appends or reads, or waits for records, learns that. */
  closeDeleted(): Promise<void> {
    for (const partition of this.partitions.values()) partition.delete();
    return this.close(new EngineError('unknown-topic', `volume ${this.volume} was deleted`));
  }

  /** Lets go of all that it keeps in memory and of open files. */
  forgetInMemory(): void {
    this.#segments.forgetInMemory();
  }

  /** Lets the journal say itself, durably, that all of it was durable: so damage is not taken for a torn tail later. */
  async #markSynced(): Promise<void> {
    const { active } = this.#segments;
    if (this.stopped !== undefined || !active.markIsDue) return;
    this.#gather(active.appendMark(this.#context.clock()));
    await this.#commit.idle();
  }

  #inTurn(run: () => void, fail: (error: unknown) => void): void {
    const refusal = this.stopped ?? this.#closing;
    if (refusal === undefined) this.#turns.take(run, fail);
    else fail(refusal);
  }

  #appendBatches(partition: Partition, bytes: Buffer): { group: Group; result: AppendResult } {
    const appendTimeMs = this.#context.clock();
    const baseOffset = partition.endOffset;
    let group: Group | undefined;
    for (let at = 0; at < bytes.length; ) {
      const sizeBytes = batchSizeBytes(bytes, at);
      this.#segments.makeRoom(frameSizeBytes(sizeBytes));
      const frameBytes = this.#segments.active.appendBatch(
        partition.id,
        partition.endOffset,
        appendTimeMs,
        bytes,
        at,
        sizeBytes,
      );
      const ended = batchHasProducer(bytes, at)
        ? partition.addProduced(bytes, at, appendTimeMs, this.#context.transactions)
        : undefined;
      partition.endOffset += batchLastOffsetDelta(bytes, at) + 1;
      partition.sizeBytes += sizeBytes;
      group = this.#gather(frameBytes);
      group.reach(partition, partition.endOffset);
      if (ended !== undefined) settleWhenSynced(group, partition, ended);
      at += sizeBytes;
    }
    const result = {
      baseOffset: BigInt(baseOffset),
      lastOffset: BigInt(partition.endOffset - 1),
      appendTimeMs,
      logStartOffset: partition.logStartOffset,
      isDuplicate: false,
    };
    return { group: group!, result };
  }

  #appendRecord(record: ControlRecord): void {
    const text = JSON.stringify(record);
    this.#room.checkSize(text.length);
    this.#segments.makeRoom(frameSizeBytes(Buffer.byteLength(text)));
    const frameBytes = this.#segments.active.appendText(FRAME_TYPES.control, text, this.#context.clock());
    const group = this.#gather(frameBytes);
    this.#applyAppended(record);
    group.records.push(record);
  }

  #findPartition(topic: string, number: number): Partition | undefined {
    const id = this.#appended.topics.get(topic)?.partitionIds[number];
    return id === undefined ? undefined : this.partitions.get(id);
  }

  #gather(frameBytes: number): Group {
    this.#segments.diskBytes += frameBytes;
    this.#context.diskRoom.noteAppended(frameBytes);
    return this.#commit.gather(this.#segments.active, frameBytes);
  }

  /** A group that is written and synced when everything appended before is. */
  #groupOfAllSoFar(): Group {
    return this.#commit.gather(this.#segments.active, 0);
  }

  #endActiveNow(): void {
    this.#segments.beginNext();
    // Nothing may be appended for long: the new segment is put on the disk all the same, and so the old one sealed.
    this.#commit.gather(this.#segments.active, 0);
  }

  #checkpoint(): Checkpoint {
    const { partitions, ...rest } = this.partitions.toCheckpoint();
    return { ...this.#appended.toCheckpoint(partitions), ...rest };
  }

  #applyAppended(record: ControlRecord): void {
    if (CHANGES_WANTS.has(record.kind)) this.wantChanges++;
    const topic = record.kind === 'topic-deleted' ? this.#appended.topics.get(record.name) : undefined;
    this.#appended.apply(record);
    this.partitions.apply(record, topic);
  }

  #onWritten(group: Group): void {
    if (this.durable.visibility === 'written') group.show();
    group.settleWritten();
    this.#turns.go();
  }

  #mustWaitForRoom(bytes: number): boolean {
    // What a cut finds waiting was asked for before it; it belongs to it.
    if (this.#isCutting) return false;
    this.#waitsForSealing = this.#room.comesWithSealing(bytes);
    return this.#waitsForSealing;
  }

  #onSynced(group: Group): void {
    for (const record of group.records) this.durable.apply(record);
    group.show();
    group.settleSynced();
  }

  #skipTo(segment: SealedSegment, older: readonly Segment[]): Promise<void> | undefined {
    const starts = this.partitions.startsBehind(segment, older);
    if (starts.length === 0) return undefined;
    return new Promise((resolve, reject) => {
      // Not in the middle of the append that asked for room. A journal that closes takes this one still.
      queueMicrotask(() => {
        if (this.stopped !== undefined) return reject(this.stopped);
        this.#turns.take(() => {
          this.#appendRecord({ kind: 'log-starts-moved', starts });
          this.#groupOfAllSoFar().whenSynced((error) => (error === undefined ? resolve() : reject(error)));
        }, reject);
      });
    });
  }

  #dropRecordsOf(segment: SealedSegment): void {
    this.wantChanges++;
    this.partitions.drop(segment);
  }

  #stopAfter(cause: unknown): EngineError {
    if (this.stopped !== undefined) return this.stopped;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = isDiskFull(cause)
      ? new EngineError('disk-full', `volume ${this.volume} stopped, its disk is full: ${reason}`, { cause })
      : new EngineError('volume-stopped', `volume ${this.volume} stopped: ${reason}`, { cause });
    this.stopped = error;
    this.#tell('volume-stopped', error.message, error.mend);
    this.#turns.failAll(error);
    this.#segments.failSealing(error);
    return error;
  }

  #tell(kind: EngineEvent['kind'], detail: string, mend?: string): void {
    this.#context.onEvent({ kind, volume: this.volume, detail, ...(mend === undefined ? {} : { mend }) });
  }
}

/** Only then: what readers of committed records saw must not be open again after a crash. */
function settleWhenSynced(group: Group, partition: Partition, ended: UnstableTransaction): void {
  group.whenSynced((error) => {
    if (error === undefined) partition.settle(ended);
  });
}
