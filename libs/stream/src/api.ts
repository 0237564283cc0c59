/**
 * The shared stream library: what apps use to talk to each other. Two engines stand behind it (`STREAM_ENGINE`); this
 * interface names neither.
 */

export interface RecordHeader {
  key: string;
  value: Uint8Array;
}

/** A record as a view over its batch's bytes: valid while the chunk that it came in is alive. */
export interface RecordView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Event time, UTC milliseconds. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Value of the first header of that name, as text; undefined where there is none. */
  header(name: string): string | undefined;
  headers(): RecordHeader[];
}

export interface OutgoingRecord {
  topic: string;
  /** Left out: the key's murmur2 hash decides, as in every Kafka client. */
  partition?: number;
  key: Uint8Array | string | null;
  value: Uint8Array | null;
  timestampMs: number;
  headers?: Record<string, string>;
}

export interface StreamConfig {
  /** The log behind this interface: Tickfold's own broker (default), or an Apache Kafka cluster. */
  engine?: 'embedded' | 'kafka';
  /** `host:port` of a broker. Default 127.0.0.1:9092. */
  brokers: string[];
  clientId: string;
  /** How long `connect` keeps trying, in milliseconds. Default 30,000. */
  connectTimeoutMs?: number;
  /** Of engine `kafka`. */
  kafka?: KafkaSettings;
}

export interface KafkaSettings {
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string };
  /** Present: TLS. Certificates and keys are PEM; without `ca`, the authorities that Node.js knows are trusted. */
  tls?: { ca?: string; cert?: string; key?: string; passphrase?: string };
  /** Copies of the topics that are made. Left out: as the cluster has it. */
  replicationFactor?: number;
}

export interface TopicSpec {
  name: string;
  partitionCount: number;
  settings?: Record<string, string>;
}

export interface Watermark {
  partition: number;
  logStart: bigint;
  /** After the last record that a reader of committed records may see. */
  high: bigint;
}

export interface StreamAdmin {
  /** Makes the topics that are missing; an existing topic with another partition count is an error. */
  ensureTopics(topics: TopicSpec[]): Promise<void>;
  topics(): Promise<{ name: string; partitionCount: number }[]>;
  watermarks(topic: string): Promise<Watermark[]>;
  /** Committed offsets of a group; a partition without one is absent, and so are all where there is no such group or topic. */
  committedOffsets(group: string, topic: string): Promise<Map<number, bigint>>;
  commitOffsets(group: string, topic: string, offsets: Map<number, bigint>): Promise<void>;
  /** By partition, the offset of the first record at or after that event time; the high watermark where there is none. */
  offsetsAtTime(topic: string, timestampMs: number): Promise<Map<number, bigint>>;
  groups(): Promise<string[]>;
  /** With all their records. @throws StreamError `unknown-topic` */
  deleteTopics(names: readonly string[]): Promise<void>;
  /** With their offsets. @throws StreamError `rejected`: it has members, or there is none of that name */
  deleteGroups(names: readonly string[]): Promise<void>;
}

/** A volume as its owner describes it. */
export interface VolumeInfo {
  name: string;
  sizeBytes: number;
  topics: number;
  /** Why it takes no more records; null while it does. */
  stopped: string | null;
}

/** What a snapshot holds. Offsets are decimal text, from `start` up to, not including, `end`. */
export interface SnapshotInfo {
  /** `market@open` */
  name: string;
  volume: string;
  id: string;
  createdAtMs: number;
  sizeBytes: number;
  topics: { name: string; partitions: { start: string; end: string }[] }[];
  files: { path: string; sizeBytes: number }[];
  pins: Readonly<Record<string, unknown>>;
}

/** What the owner of the volumes does on request. */
export interface VolumeAdmin {
  list(): Promise<VolumeInfo[]>;
  /**
   * Freezes the volume that the name begins with.
   * @param others volumes that are frozen at the same cut, into the same snapshot
   * @throws StreamError `volume-refused` with the owner's own words (exists, unknown, illegal name, full disk)
   */
  createSnapshot(
    name: string,
    pins: Readonly<Record<string, unknown>>,
    others?: readonly string[],
  ): Promise<SnapshotInfo>;
  /** @throws StreamError `volume-refused` */
  adopt(stagingId: string): Promise<void>;
  /** @throws StreamError `volume-refused` */
  delete(name: string): Promise<void>;
}

export interface ProducerOptions {
  /** How long a batch waits for more records, in milliseconds. Default 5; 0: to the end of this turn of the event loop. */
  lingerMs?: number;
  /** A batch is sent when it holds this many bytes. Default 256 KiB. */
  batchBytes?: number;
  /** Bytes that may wait for acknowledgement before `send` asks its caller to wait. Default 8 MiB. */
  maxBufferedBytes?: number;
  /** -1: acknowledged when durable (default); 1: when written. */
  acks?: -1 | 1;
  /** How long what a broken connection left unacknowledged is sent again, in milliseconds. Default 120,000. */
  deliveryTimeoutMs?: number;
}

export interface Producer {
  /**
   * Takes a record. Returns undefined, or, when the buffer is full, a promise to await before the next call
   * (back-pressure). Records of one partition keep their order. When the connection breaks, what was not acknowledged is
   * sent again over a new one; the log takes each record once. With `acks: 1` nobody could tell, so nothing is sent again:
   * every waiting call fails with StreamError `disconnected`, and the caller resumes from what the log holds.
   */
  send(record: OutgoingRecord): Promise<void> | undefined;
  /** Resolves when everything sent so far is acknowledged. @throws StreamError */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface TransactionalProducerOptions extends Omit<ProducerOptions, 'acks'> {
  /** `<volume>.<name>`: who produces, across restarts. The volume before the first dot keeps its decisions. */
  transactionalId: string;
  /** After so long without an end the broker aborts a transaction, in milliseconds. Default 60,000. */
  transactionTimeoutMs?: number;
}

/** A group's progress in a topic: by partition, the offset of the next record that it has to handle. */
export interface GroupOffsets {
  group: string;
  topic: string;
  offsets: ReadonlyMap<number, bigint>;
  /** As whom of the group. Left out: as a reader that assigns its partitions itself. */
  member?: GroupMember;
}

/** Who a consumer is in its group, since the last rebalance. */
export interface GroupMember {
  memberId: string;
  generation: number;
}

/**
 * Writes records so that they appear all at once, or never. What is sent opens a transaction; `commit` or `abort` ends it.
 * Whoever opens a producer with the same id ends the transaction of the one before, and shuts that one out: from then on
 * all its calls fail with StreamError `fenced`.
 */
export interface TransactionalProducer extends Producer {
  /**
   * Makes all that was sent since the last end, and these offsets, visible at once; durable when resolved. What is sent
   * meanwhile belongs to the next transaction. Where another end is under way, this one waits, and takes along what is sent
   * until then.
   * @throws StreamError `fenced`, `disconnected` (nobody knows whether it was committed: look at the log or the offsets)
   */
  commit(offsets?: readonly GroupOffsets[]): Promise<void>;
  /** Nobody who reads committed records will see what was sent since the last end. @throws StreamError */
  abort(): Promise<void>;
}

/** Which records a reader sees: all, or those that no transaction can take back any more. */
export type Isolation = 'committed' | 'uncommitted';

export interface ConsumerOptions {
  /** Topics with the offset to start from in each partition. Missing partitions start at the log's start. */
  assignments: { topic: string; partition: number; offset?: bigint }[];
  /** Most bytes of one fetch over all partitions. Default 4 MiB. */
  maxBytes?: number;
  /** How long the broker waits for data, in milliseconds. Default 500. */
  maxWaitMs?: number;
  /** Default `committed`. */
  isolation?: Isolation;
}

export interface TopicPartition {
  topic: string;
  partition: number;
}

export interface GroupConsumerOptions extends Omit<ConsumerOptions, 'assignments'> {
  /** `<volume>.<app>` */
  group: string;
  topics: string[];
  /**
   * Who this reader is across restarts: one that was killed and comes back gets its partitions at once, and shuts out
   * whoever else was it. Left out: each start is somebody new, and what a killed one read waits for its session to end.
   */
  instanceId?: string;
  /** Without a sign of life for so long a member loses its partitions, in milliseconds. Default 15,000. */
  sessionTimeoutMs?: number;
  /** How long the group waits in `onRevoked`, in milliseconds. Default 60,000. */
  rebalanceTimeoutMs?: number;
  /** Where the group has no offset yet. Default `start`. */
  from?: 'start' | 'end';
  /**
   * Told of the partitions before the first record of them. May name other places to start from than the group's
   * committed offsets.
   */
  onAssigned?(
    partitions: readonly TopicPartition[],
    // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to name.
  ): Promise<readonly (TopicPartition & { offset: bigint })[] | void>;
  /** Told when the group divides its partitions anew, and waits: finish and commit what was read of them. */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void>;
  /** Told that others read these partitions already: drop what was made of them. */
  onLost?(partitions: readonly TopicPartition[]): Promise<void>;
}

/** Records of one partition that arrived together. */
export interface RecordChunk {
  topic: string;
  partition: number;
  /** After the last record that this reader may see now. */
  highWatermark: bigint;
  /** Offset after this chunk: after its last record, or what lies behind that and is no record (ends of transactions). */
  nextOffset: bigint;
  records(): Iterable<RecordView>;
}

export interface Consumer extends AsyncIterable<RecordChunk> {
  /**
   * Nothing more of these partitions arrives until `resume`; the others go on.
   * @throws StreamError `not-assigned`
   */
  pause(partitions: readonly TopicPartition[]): void;
  /** What came of them meanwhile follows, nothing is left out. @throws StreamError `not-assigned` */
  resume(partitions: readonly TopicPartition[]): void;
  /** The next chunk of the partition begins there, before or after where it is now. @throws StreamError `not-assigned` */
  seek(to: TopicPartition & { offset: bigint }): void;
  /** The loop over the consumer ends after the current chunk. */
  close(): Promise<void>;
}

/**
 * Reads its share of the topics' partitions, which the group divides evenly among its members as they come and go. A loop
 * that ends, however it does, leaves the group.
 */
export interface GroupConsumer extends Consumer {
  // `pause` and `seek` count for the partitions that it has, until the group divides them anew.
  /** Undefined while the group is being divided. */
  readonly member: GroupMember | undefined;
  /** @throws StreamError `rebalanced`: the group went on without this member, which joins again by itself */
  commit(topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void>;
  /**
   * Asks the group whether this member still counts.
   * @throws StreamError `rebalanced`; `fenced`: another process reads as the same instance
   */
  confirm(): Promise<void>;
}

export interface StreamClient {
  readonly admin: StreamAdmin;
  readonly volumes: VolumeAdmin;
  producer(options?: ProducerOptions): Producer;
  /** @throws StreamError `unavailable`, `rejected` */
  transactionalProducer(options: TransactionalProducerOptions): Promise<TransactionalProducer>;
  /** The next fetch is sent only after the loop asked for more: a slow reader slows its own fetches. */
  consumer(options: ConsumerOptions): Consumer;
  groupConsumer(options: GroupConsumerOptions): GroupConsumer;
  /** Last record of a partition, or undefined where it is empty. */
  lastRecord(topic: string, partition: number): Promise<RecordView | undefined>;
  close(): Promise<void>;
}

/**
 * A fold over the records of one input topic: partition by partition, deterministic, output partition = input
 * partition. Its output, state and cursor belong to one volume.
 */
export interface ProcessorOptions<State> {
  client: StreamClient;
  /** `<volume>.<app>`: the outputs lie in the same volume. Its committed offsets say how far the input is handled. */
  group: string;
  /**
   * Which of the processes that share the work this one is, across restarts. Default `1`: a run takes the place of the
   * one before.
   */
  instanceId?: string;
  /** An instance that is gone for so long loses its partitions to the others, in milliseconds. Default 15,000. */
  sessionTimeoutMs?: number;
  inputTopic: string;
  /** Topics written to; made with the input's partition count. */
  outputTopics: string[];
  /** `<volume>.dead-letter`. A record whose handler throws goes there with its source id and reason. */
  deadLetterTopic: string;
  createState(partition: number): State;
  /** May emit at most one record per output topic for one input record. Pure: event time only, no clock. */
  handle(state: State, record: RecordView, emit: (output: ProcessorOutput) => void): void;
  /** Keeps the state beside the output, so that the next run need not fold the whole input again. */
  checkpoint?: StateCheckpoint<State>;
  /** Output, cursor and state are committed together so often, in milliseconds. Default 100. */
  commitEveryMs?: number;
  /** Ends the run in an orderly way. */
  signal: AbortSignal;
  /** Told after each chunk, or part of one, for metrics. */
  onProgress?(progress: ProcessorProgress): void;
  /** Told after each commit, for metrics. */
  onCommit?(commit: ProcessorCommit): void;
  /** Told which partitions of the input this instance has from now on: none while the group divides them anew. */
  onPartitions?(partitions: readonly number[]): void;
}

/** How a processor's state is kept in the topic `<group>-state`, by partition. */
export interface StateCheckpoint<State> {
  /** The state is written with the first commit after so many input records. */
  everyRecords: number;
  serialize(state: State): Uint8Array;
  deserialize(bytes: Uint8Array): State;
}

export interface ProcessorOutput {
  topic: string;
  key: Uint8Array | string | null;
  value: Uint8Array;
  timestampMs: number;
  headers?: Record<string, string>;
}

/** How long results took. */
export interface ProcessorCommit {
  /** From when the first of the records was handled to when what came of all of them is durable, in milliseconds. */
  latencyMs: number;
  /** The part of it that the commit itself took. */
  commitMs: number;
}

export interface ProcessorProgress {
  partition: number;
  /** Records handled since the last call, those of a re-fold included. */
  handled: number;
  emitted: number;
  deadLettered: number;
  /** True while the state is rebuilt with output suppressed. */
  refolding: boolean;
  nextOffset: bigint;
  highWatermark: bigint;
}
