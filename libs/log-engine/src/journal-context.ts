/** What a journal is given, and what it gives away of itself. */
import type { EngineEvent } from './api.ts';
import type { ControlRecord } from './control-record.ts';
import type { Disk } from './disk.ts';
import type { DiskRoom } from './disk-room.ts';
import type { Checkpoint, JournalState } from './journal-state.ts';
import type { OpenFiles } from './open-files.ts';
import type { Partition } from './partition.ts';
import type { SealedSegment } from './sealed-segment.ts';
import type { ActiveSegment, SegmentName } from './segment.ts';
import type { IndexCache } from './segment-index.ts';
import type { TailCache } from './tail-cache.ts';

/** What appends ask of the engine's transactions. */
export interface TransactionGate {
  /** @throws EngineError `producer-fenced`, `invalid-transaction-state` unless that producer's transaction is under way */
  admit(producerId: number, epoch: number): void;
  /** A transaction wrote to a partition for the first time. */
  joined(producerId: number, partition: Partition, firstOffset: number): void;
}

/** What every journal of an engine shares. */
export interface EngineContext {
  disk: Disk;
  segmentBytes: number;
  volumeQuotaBytes: number;
  mayHaveGaps: boolean;
  /** 0: only when asked. */
  maintenanceIntervalMs: number;
  diskRoom: DiskRoom;
  clock: () => number;
  onEvent: (event: EngineEvent) => void;
  tailCache: TailCache;
  indexCache: IndexCache;
  openFiles: OpenFiles;
  transactions: TransactionGate;
}

/** What may be done in one turn of a journal. Nothing of others comes between, and no cut. */
export interface JournalTurn {
  /** All that was appended before. */
  readonly state: JournalState;
  partition(topic: string, number: number): Partition | undefined;
  /** Also control batches. */
  append(partition: Partition, batches: Buffer): void;
  /** @throws EngineError `volume-full` */
  record(record: ControlRecord): void;
}

/** What a journal begins with: nothing, or what recovery found. */
export interface JournalStart {
  volume: string;
  folder: string;
  volumeId: Buffer;
  /** Two copies of one fold: what was appended, and what is durable. */
  appended: JournalState;
  durable: JournalState;
  sealed: SealedSegment[];
  active: ActiveSegment | undefined;
  nextSegmentNumber: number;
}

/** A journal as it was at one moment. */
export interface JournalCut {
  checkpoint: Checkpoint;
  volumeId: Buffer;
  folder: string;
  /** Segments that hold what the checkpoint speaks of, oldest first; their files are there once `sealed` resolves. */
  segments: readonly (SegmentName & { sizeBytes: number })[];
  /** Resolves when all of it is durable and sealed; sealed files never change again. */
  sealed: Promise<void>;
  /** Lets retention remove their files. To be called once. */
  release(): void;
}
