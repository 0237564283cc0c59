/**
 * What the embedded log engine offers. It knows record batches (Kafka's format v2) and topics, neither sockets nor
 * trading. One engine owns one data folder; every volume in it has one journal.
 */

/** When an append is acknowledged: after `fdatasync` (group commit), after the write, or at once. */
export type Durability = 'synced' | 'written' | 'none';

/** A volume's rule for what readers see: only what is synced (the default), or whatever is written. */
export type Visibility = 'synced' | 'written';

export interface EngineOptions {
  /** Folder that holds one folder per volume. Created when missing. */
  dataDir: string;
  /** A segment is sealed when it has grown past this many bytes. Default 64 MiB. */
  segmentBytes?: number;
  /** Disk cap of a volume in bytes; the oldest sealed segments go first. Default 2 GiB. */
  volumeQuotaBytes?: number;
  /** Default visibility of a new volume. Default `synced`. */
  visibility?: Visibility;
  /** Wall clock in UTC milliseconds, handed in so that tests can turn it. */
  clock?: () => number;
  /** Told about everything an operator should know (recovery, retention, quota). Default: silent. */
  onEvent?: (event: EngineEvent) => void;
}

export interface EngineEvent {
  kind:
    | 'recovered'
    | 'truncated-tail'
    | 'range-damaged'
    | 'segment-sealed'
    | 'segment-removed'
    | 'index-rebuilt'
    | 'volume-stopped';
  volume: string;
  detail: string;
  /** What the operator can do about it, where there is something to be done. */
  mend?: string;
}

export interface TopicDescription {
  name: string;
  volume: string;
  /** 16 bytes, as in Kafka's topic ids. */
  id: Uint8Array;
  partitionCount: number;
  settings: Readonly<Record<string, string>>;
}

export interface AppendResult {
  baseOffset: bigint;
  lastOffset: bigint;
  /** UTC milliseconds of the append. */
  appendTimeMs: number;
  logStartOffset: bigint;
}

export interface ReadResult {
  /** Whole record batches as bytes, in offset order; the first may begin before the offset that was asked for. */
  batches: Uint8Array[];
  highWatermark: bigint;
  logStartOffset: bigint;
}

export interface PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: bigint;
  /** First offset that readers may not see yet. */
  readonly highWatermark: bigint;
  /** Offset that the next record will get. */
  readonly logEndOffset: bigint;
  /** Bytes of this partition's batches in the journal. */
  readonly sizeBytes: number;

  /**
   * Appends one or more record batches v2, back to back in `batches`. Their length, magic and CRC are checked; base
   * offset and leader epoch are set by the engine. Order of calls is order of offsets.
   * @throws EngineError `batch-corrupt`, `batch-too-large`, `volume-full`, `volume-stopped`, `disk-full`
   */
  append(batches: Uint8Array, durability: Durability): Promise<AppendResult>;

  /**
   * Reads visible batches from the one that holds `offset`, up to `maxBytes`, but always at least one batch if there
   * is one. An offset equal to the high watermark gives no batches.
   * @throws EngineError `offset-out-of-range`
   */
  read(offset: bigint, maxBytes: number): Promise<ReadResult>;

  /** First visible record whose timestamp is at or after `timestampMs`, or undefined. */
  offsetForTimestamp(timestampMs: bigint): Promise<{ offset: bigint; timestampMs: bigint } | undefined>;

  /** Calls `listener` each time the high watermark moves. Returns the way to stop that. */
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
  /** Why it takes no more appends, and what to do about it. It is still read. */
  stopped: { reason: string; mend: string } | undefined;
}

export interface LogEngine {
  topics(): TopicDescription[];
  topic(name: string): TopicDescription | undefined;
  partition(topic: string, partition: number): PartitionLog | undefined;

  /**
   * The text before the topic's first dot names its volume, made with its first topic; without a dot: `default`.
   * Resolves when the topic is durable.
   * @throws EngineError `topic-exists`, `illegal-name`, `illegal-setting`
   */
  createTopic(
    name: string,
    options: { partitionCount: number; settings?: Record<string, string> },
  ): Promise<TopicDescription>;
  /** @throws EngineError `unknown-topic` */
  deleteTopic(name: string): Promise<void>;

  /** Durable when resolved. A group's offsets lie in the volume that its name's first dot gives, as for topics. */
  commitOffsets(group: string, offsets: CommittedOffset[]): Promise<void>;
  committedOffsets(group: string): CommittedOffset[];
  groupsWithOffsets(): string[];
  deleteGroupOffsets(group: string): Promise<void>;

  volumes(): VolumeDescription[];
  /** Flushes, syncs and releases every volume. Further calls fail with `volume-stopped`. */
  close(): Promise<void>;
}
