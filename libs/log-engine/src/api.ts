/**
 * What the embedded log engine offers. It knows record batches (Kafka's format v2) and topics, neither sockets nor
 * trading. One engine owns one data folder; every volume in it has one journal.
 */

import type { Disk } from './disk.ts';

/** When an append is acknowledged: after `fdatasync` (group commit), after the write, or at once. */
export type Durability = 'synced' | 'written' | 'none';

/** A volume's rule for what readers see: only what is synced (the default), or whatever is written. */
export type Visibility = 'synced' | 'written';

/** What readers of a partition want: all records, or those of committed transactions and of none. */
export type Isolation = 'uncommitted' | 'committed';

/** One incarnation of a producer. Batches of an earlier epoch are refused once a later one is known. */
export interface ProducerIdentity {
  producerId: bigint;
  epoch: number;
}

export interface TransactionalProducer extends ProducerIdentity {
  transactionalId: string;
}

export interface OpenProducerOptions {
  transactionalId?: string;
  /** Of its transactions. Default 60,000. */
  timeoutMs?: number;
  /** The incarnation that goes on: refused when another one took over meanwhile. */
  expected?: ProducerIdentity;
}

export type TransactionOutcome = 'commit' | 'abort';

export interface TransactionDescription {
  transactionalId: string;
  producer: ProducerIdentity;
  /** `empty`: none is under way. */
  state: 'empty' | 'ongoing' | 'committing' | 'aborting';
  /** How the last one ended, or ends; undefined where that is not known, or one is ongoing. */
  outcome: TransactionOutcome | undefined;
  startedAtMs: number | undefined;
  timeoutMs: number;
  /** That it wrote to. */
  partitions: { topic: string; partition: number }[];
}

/** A producer with an id that wrote to a partition, as the partition knows it. */
export interface PartitionProducer extends ProducerIdentity {
  /** Of its last record; -1 where the end of a transaction alone told of the epoch. */
  lastSequence: number;
  lastAppendMs: number;
  /** Where its open transaction begins; undefined where none is open. */
  openFrom: bigint | undefined;
}

export interface EngineOptions {
  /** Folder that holds one folder per volume. Created when missing. */
  dataDir: string;
  /** A segment is sealed when it has grown past this many bytes. Default 64 MiB. */
  segmentBytes?: number;
  /** Disk cap of a volume in bytes; the oldest sealed segments go first. Default 2 GiB. */
  volumeQuotaBytes?: number;
  /** Batches may have fewer records than offsets, as in a copy of another log. Default: they are refused. */
  mayHaveGaps?: boolean;
  /**
   * How often retention, time-outs and expiry are looked after, in milliseconds. Default 1000; 0: only by `maintain`.
   */
  maintenanceIntervalMs?: number;
  /** No data is taken while the disk has less room than this. Default 64 MiB; 0: as long as there is any. */
  reserveBytes?: number;
  /** Default visibility of a new volume. Default `synced`. */
  visibility?: Visibility;
  /** Wall clock in UTC milliseconds, handed in so that tests can turn it. */
  clock?: () => number;
  /** Where it keeps everything, handed in so that tests can make it fail. Default: the machine's own. */
  disk?: Disk;
  /** Told about everything an operator should know (recovery, retention, quota). Default: silent. */
  onEvent?: (event: EngineEvent) => void;
  /** A partition forgets a producer that appended nothing for so long. Default 1 day. */
  producerExpiryMs?: number;
  /** A transactional id is forgotten when no transaction was begun or ended for so long. Default 7 days. */
  transactionalIdExpiryMs?: number;
  /** The longest time-out that a producer may ask for. Default 15 minutes. */
  maxTransactionTimeoutMs?: number;
}

export interface EngineEvent {
  kind:
    | 'recovered'
    | 'truncated-tail'
    | 'range-damaged'
    | 'segment-sealed'
    | 'segment-removed'
    | 'index-rebuilt'
    | 'leftover-stays'
    /** Retention or cleaning could not do its work; it will be tried again. */
    | 'maintenance-failed'
    /** The disk has less room than the reserve: no data is taken, until `disk-roomy`. */
    | 'disk-low'
    | 'disk-roomy'
    | 'file-damaged'
    | 'snapshot-unhashed'
    | 'transaction-aborted'
    | 'volume-stopped';
  /** Not there where it is about the data folder as a whole. */
  volume?: string;
  detail: string;
  /** What the operator can do about it, where there is something to be done. */
  mend?: string;
}

/** A file in the catalog of a volume. */
export interface FileDescription {
  /** Relative to the volume, below `tables/` or `files/`, with `/`. */
  path: string;
  sizeBytes: number;
  /** In hexadecimal. */
  sha256: string;
  publishedAtMs: number;
  /** What its publisher wants kept with it; JSON. The engine does not look into it. */
  details: Readonly<Record<string, unknown>>;
}

export interface TopicDescription {
  name: string;
  volume: string;
  /** 16 bytes, as in Kafka's topic ids. */
  id: Uint8Array;
  partitionCount: number;
  settings: Readonly<Record<string, string>>;
}

/** A topic that is to be made. Settings have Kafka's names; those left out have their defaults. */
export interface TopicOptions {
  partitionCount: number;
  settings?: Record<string, string>;
}

/** What is to be different about a topic; what is left out stays as it is. */
export interface TopicChange {
  /** All settings that the topic has from now on. */
  settings?: Record<string, string>;
  /** At least as many as there are. */
  partitionCount?: number;
}

export interface AppendResult {
  baseOffset: bigint;
  lastOffset: bigint;
  /** UTC milliseconds of the append. */
  appendTimeMs: number;
  logStartOffset: bigint;
  /** True when these batches of an idempotent producer were there already; the offsets are theirs. */
  isDuplicate: boolean;
}

export interface ReadResult {
  /** Whole record batches as bytes, in offset order; the first may begin before the offset that was asked for. */
  batches: Uint8Array[];
  highWatermark: bigint;
  logStartOffset: bigint;
  lastStableOffset: bigint;
  /**
   * Aborted transactions that have records within `batches`, by their first offset: from there on, up to its abort marker,
   * leave that producer's transactional batches out. Empty unless only committed records were asked for.
   */
  abortedTransactions: { producerId: bigint; firstOffset: bigint }[];
}

/** Where a record lies, and its timestamp. */
export interface TimedOffset {
  offset: bigint;
  timestampMs: bigint;
}

/** A partition as readers see it, in a live volume or in a snapshot. */
export interface PartitionReader {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: bigint;
  /** First offset that readers may not see yet. */
  readonly highWatermark: bigint;
  /**
   * Below it every transaction has ended, durably: the first offset of the oldest one that has not, else the high
   * watermark.
   */
  readonly lastStableOffset: bigint;

  /**
   * Reads visible batches from the one that holds `offset`, up to `maxBytes`, but always at least one batch if there
   * is one. An offset equal to the high watermark gives no batches.
   * @param isolation `committed` ends at the last stable offset. Default `uncommitted`
   * @param into where to put what comes from files, as far as it fits: the batches are views of it then. Who reads much,
   * and is done with one answer before the next but one, lends two buffers in turn and spares the making of new ones.
   * @throws EngineError `offset-out-of-range`, `read-failed`
   */
  read(offset: bigint, maxBytes: number, isolation?: Isolation, into?: Buffer): Promise<ReadResult>;

  /** First visible record whose timestamp is at or after `timestampMs`, or undefined. */
  offsetForTimestamp(timestampMs: bigint, isolation?: Isolation): Promise<TimedOffset | undefined>;

  /** First of the visible records with the highest timestamp; undefined where there is no record. */
  offsetOfLatest(isolation?: Isolation): Promise<TimedOffset | undefined>;
}

export interface PartitionLog extends PartitionReader {
  /** Offset that the next record will get. */
  readonly logEndOffset: bigint;
  /** Bytes of this partition's batches in the journal. */
  readonly sizeBytes: number;

  /**
   * Appends one or more record batches v2, back to back in `batches`. Their length, magic and CRC are checked; base
   * offset and leader epoch are set by the engine. Order of calls is order of offsets.
   *
   * Batches with a producer id are held to its epoch and sequence. All that came before are answered with their first
   * offset, once they have the asked durability.
   * @throws EngineError `batch-corrupt`, `batch-too-large`, `volume-full`, `volume-stopped`, `disk-full`,
   * `producer-fenced`, `out-of-order-sequence`, `invalid-transaction-state`
   */
  append(batches: Uint8Array, durability: Durability): Promise<AppendResult>;

  /**
   * Deletes the records before `offset`; -1 stands for the high watermark. Durable when resolved, to the offset that
   * the log starts at now. The room that they took is given back by and by.
   * @throws EngineError `offset-out-of-range`, `unknown-topic`, `volume-stopped`, `disk-full`
   */
  deleteRecordsBefore(offset: bigint): Promise<bigint>;

  /** Producers with an id that wrote here and are not forgotten yet. */
  describeProducers(): PartitionProducer[];

  /** Calls `listener` each time the high watermark or the last stable offset moves. Returns the way to stop that. */
  onVisible(listener: () => void): () => void;
}

export interface CommittedOffset {
  topic: string;
  partition: number;
  offset: bigint;
  leaderEpoch: number;
  metadata: string;
}

export interface VolumeDescription {
  name: string;
  sizeBytes: number;
  segments: number;
  /**
   * Why it takes no more appends, and what to do about it. It is still read; only one that could not be opened at all is
   * not, and counts no bytes and no segments.
   */
  stopped: { reason: string; mend: string } | undefined;
}

/** Topics and group offsets to read: a live engine, or a snapshot. */
export interface LogReader {
  topics(): TopicDescription[];
  /** @throws EngineError `volume-stopped` where the name leads to a volume that could not be opened; so do the next two */
  topic(name: string): TopicDescription | undefined;
  partition(topic: string, partition: number): PartitionReader | undefined;
  committedOffsets(group: string): CommittedOffset[];
  groupsWithOffsets(): string[];
}

/** What `manifest.json` of a snapshot says. */
export interface SnapshotManifest {
  formatVersion: number;
  /** `market@open`: the volume, and the snapshot's name within it. */
  name: string;
  /** The one that the name begins with. */
  volume: string;
  /** All volumes that were frozen at its cut; that one first. */
  volumes: string[];
  /** 16 random bytes in hexadecimal: two snapshots of one name, one after the other, are not the same. */
  id: string;
  createdAtMs: number;
  /** Offsets that the picture holds: from `start` up to, not including, `end`; decimal text. */
  topics: { name: string; partitions: { start: string; end: string }[] }[];
  /** Files of the volumes' `tables` and `files`, by path relative to their volume. */
  files: { volume: string; path: string; sizeBytes: number }[];
  sizeBytes: number;
  /** What the caller wants kept with it: versions, parameters. The engine does not look into it. */
  pins: Pins;
}

export type Pins = Readonly<Record<string, unknown>>;

/** What `verifySnapshot` found. */
export interface SnapshotVerification {
  manifest: SnapshotManifest;
  /** What was read, and is there: segments with their batches, and files. */
  segments: number;
  batches: number;
  files: number;
  /** Of these files, how many have no hash to be compared with, because whoever took the snapshot was stopped too soon. */
  unhashedFiles: number;
  /** Empty where the snapshot is whole. Paths are relative to its folder. */
  damages: { path: string; detail: string }[];
}

/** Of long work. */
export interface WorkOptions {
  signal?: AbortSignal;
  /** Told now and then how many bytes are done, of how many. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** A snapshot as one file. */
export interface SnapshotArchive {
  /** Absolute. */
  path: string;
  sizeBytes: number;
  manifest: SnapshotManifest;
}

/** A volume that was made from a snapshot, invisible until the owner of the data folder adopts it. */
export interface RestoredVolume {
  /** For `adoptVolume`. */
  readonly id: string;
  readonly volume: string;
  /** Removes it; also fine after an adoption. */
  discard(): Promise<void>;
}

/** A snapshot opened to read, by any process. Nothing of it ever changes. */
export interface Snapshot extends LogReader {
  readonly manifest: SnapshotManifest;
  /**
   * Absolute path of a file as it was, `tables/history.duckdb`; undefined where there was none.
   * @param volume default: the one that the snapshot's name begins with
   */
  filePath(relativePath: string, volume?: string): string | undefined;
  close(): Promise<void>;
}

/**
 * A volume in the making, invisible until the owner of the data folder adopts it. It dies with its process: what a
 * killed one leaves is removed when the data folder is opened, or the next one is staged.
 */
export interface StagedVolume {
  /** Names the folder under `.staging`, for `adoptVolume`. */
  readonly id: string;
  readonly volume: string;
  /** An engine that holds this volume only. */
  readonly engine: LogEngine;
  /** Makes everything durable and closes the engine: ready to be adopted. */
  finish(): Promise<void>;
  /** Removes it; also fine after `finish` and after an adoption. */
  discard(): Promise<void>;
}

export interface LogEngine extends LogReader {
  partition(topic: string, partition: number): PartitionLog | undefined;

  /**
   * The text before the topic's first dot names its volume, made with its first topic; without a dot, or where that text is no
   * volume name: `default`.
   * Resolves when the topic is durable.
   * @throws EngineError `topic-exists`, `illegal-name`, `illegal-setting`
   */
  createTopic(name: string, options: TopicOptions): Promise<TopicDescription>;
  /**
   * Changes a topic's settings, or gives it more partitions. Durable when resolved.
   * @throws EngineError `unknown-topic`, `illegal-setting`
   */
  alterTopic(name: string, change: TopicChange): Promise<TopicDescription>;
  /** @throws EngineError `unknown-topic` */
  deleteTopic(name: string): Promise<void>;

  /** Durable when resolved. A group's offsets lie in the volume that its name's first dot gives, as for topics. */
  commitOffsets(group: string, offsets: CommittedOffset[]): Promise<void>;
  /**
   * Forgets what a group committed. Durable when resolved.
   * @param partitions default: all of them
   */
  deleteGroupOffsets(group: string, partitions?: readonly { topic: string; partition: number }[]): Promise<void>;

  /**
   * Kafka's InitProducerId. Without a transactional id: a new producer. With one: its next incarnation; earlier ones are
   * fenced, and what they left open is aborted. Durable when resolved. The text before the id's first dot names the volume
   * that coordinates its transactions, as for groups.
   * @throws EngineError `producer-fenced`, `unknown-producer`, `illegal-transaction-timeout`, `illegal-name`, `volume-stopped`
   */
  openProducer(options?: OpenProducerOptions): Promise<ProducerIdentity>;

  /**
   * To be called before the first transactional append; does nothing where a transaction is under way. Its time runs from
   * here: when it is over, the transaction is aborted and its producer fenced.
   * @throws EngineError `producer-fenced`, `unknown-producer`, `concurrent-transactions`
   */
  beginTransaction(producer: TransactionalProducer): Promise<void>;

  /**
   * Offsets that the group gets when the transaction commits. Durable when resolved.
   * @throws EngineError `producer-fenced`, `unknown-producer`, `invalid-transaction-state`, `volume-stopped`
   */
  commitOffsetsInTransaction(producer: TransactionalProducer, group: string, offsets: CommittedOffset[]): Promise<void>;

  /**
   * Ends the transaction everywhere, whatever crash comes; durable when resolved. To ask again for the outcome that it had
   * does nothing.
   * @param options.bumpEpoch gives the producer a new epoch, so that nothing of this transaction can come late
   * @returns who may begin the next transaction
   * @throws EngineError `producer-fenced`, `unknown-producer`, `invalid-transaction-state`, `volume-stopped`
   */
  endTransaction(
    producer: TransactionalProducer,
    outcome: TransactionOutcome,
    options?: { bumpEpoch?: boolean },
  ): Promise<ProducerIdentity>;

  /** Partitions whose offset of that group hangs on a transaction that has not ended. */
  unstableOffsets(group: string): { topic: string; partition: number }[];

  /** Every transactional id that is known. */
  transactions(): TransactionDescription[];

  volumes(): VolumeDescription[];

  /**
   * Freezes volumes as they are: streams, tables and files, all at one cut. Writers go on. Durable when resolved; a crash
   * before leaves nothing.
   * @param name `market@open`; the volume that it begins with is always among the frozen ones
   * @param pins kept with it; as a function it is called at the very moment of the cut
   * @param options.volumes others to freeze at the same cut
   * @throws EngineError `snapshot-exists`, `unknown-volume`, `illegal-name`, `volume-stopped`, `disk-full`
   */
  createSnapshot(
    name: string,
    pins: Pins | (() => Pins),
    options?: { volumes?: readonly string[] },
  ): Promise<SnapshotManifest>;

  /**
   * Moves a file into a volume and its catalog, whole or not at all; its place must be free. Durable when resolved.
   * @param path below `tables/` or `files/` of the volume; a file that is there, but in no catalog, is replaced
   * @param fromPath on the same file system it is moved, else copied and removed
   * @param details JSON, kept with it
   * @throws EngineError `unknown-volume`, `illegal-name`, `file-exists`, `unknown-file`, `volume-stopped`, `disk-full`
   */
  publishFile(
    volume: string,
    path: string,
    fromPath: string,
    details?: Readonly<Record<string, unknown>>,
  ): Promise<FileDescription>;
  /**
   * Takes a file out of a volume's catalog, then from the disk. Snapshots keep theirs.
   * @throws EngineError `unknown-volume`, `unknown-file`, `volume-stopped`
   */
  removeFile(volume: string, path: string): Promise<void>;
  /**
   * The catalog of a volume's files, in order of publication.
   * @throws EngineError `unknown-volume`
   */
  files(volume: string): FileDescription[];

  /**
   * Takes a finished staged volume in, whole or not at all. Durable when resolved.
   * @throws EngineError `volume-exists`, `unknown-staging`, `volume-full`, `illegal-name`
   */
  adoptVolume(stagingId: string): Promise<VolumeDescription>;

  /**
   * Makes a live volume of what a snapshot holds: topics, records with their offsets, group offsets, tables and files. Durable
   * when resolved, whole or not at all. The snapshot stays.
   * @param volume which of the snapshot's; default: the one that its name begins with
   * @throws EngineError `unknown-snapshot`, `unknown-volume`, `volume-exists`, `volume-full`, `snapshot-damaged`, `illegal-name`,
   * `disk-full`
   */
  restoreVolume(snapshot: string, volume?: string): Promise<VolumeDescription>;

  /**
   * Removes a volume with its topics, group offsets, tables and files. Its snapshots stay.
   * @throws EngineError `unknown-volume`
   */
  deleteVolume(name: string): Promise<void>;

  /**
   * Looks after what time brings: retention, the room of what was deleted, transactions whose time is over, producers and
   * transactional ids that are not used any more. Called by itself every
   * `maintenanceIntervalMs`; resolves after a whole round. What fails is told as an event, and tried again.
   */
  maintain(): Promise<void>;

  /** Flushes, syncs and releases every volume. Further calls fail with `volume-stopped`. */
  close(): Promise<void>;
}
