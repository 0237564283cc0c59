import { dirname, resolve } from 'node:path';
import type {
  CommittedOffset,
  EngineOptions,
  FileDescription,
  LogEngine,
  OpenProducerOptions,
  PartitionLog,
  Pins,
  ProducerIdentity,
  SnapshotManifest,
  TopicChange,
  TopicDescription,
  TopicOptions,
  TransactionalProducer,
  TransactionDescription,
  TransactionOutcome,
  VolumeDescription,
} from './api.ts';
import type { TopicRow } from './control-record.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { DiskRoom } from './disk-room.ts';
import { EngineError } from './errors.ts';
import { FileCatalog } from './file-catalog.ts';
import type { FolderLock } from './folder-lock.ts';
import type { Journal } from './journal.ts';
import type { EngineContext } from './journal-context.ts';
import { Maintenance } from './maintenance.ts';
import { volumeOfGroup, volumeOfName, volumeOfTopic } from './names.ts';
import { OpenFiles } from './open-files.ts';
import { ProducerRegistry } from './producer-registry.ts';
import { IndexCache } from './segment-index.ts';
import { sweepSnapshots, syncSnapshots } from './snapshot-folder.ts';
import { stageSnapshot } from './snapshot-restore.ts';
import { SnapshotTaker } from './snapshot-taking.ts';
import { sweepStaging } from './staging-folder.ts';
import { TailCache } from './tail-cache.ts';
import {
  committedOffset,
  describeTopic,
  offsetDeletion,
  offsetRow,
  topicAlteration,
  topicCreation,
  unknownTopic,
} from './topic-rows.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { unusable } from './unusable-folder.ts';
import { Volumes } from './volumes.ts';

const MEBIBYTE = 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 64 * MEBIBYTE;
const DEFAULT_QUOTA_BYTES = 2048 * MEBIBYTE;
const TAIL_CACHE_BYTES = 16 * MEBIBYTE;
const INDEX_CACHE_BYTES = 16 * MEBIBYTE;
const MAX_OPEN_FILES = 256;
const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DEFAULT_RESERVE_BYTES = 64 * MEBIBYTE;
const DEFAULT_MAINTENANCE_INTERVAL_MS = 1000;
const DEFAULT_MAX_TRANSACTION_TIMEOUT_MS = 15 * MINUTE_MS;
const DEFAULT_PRODUCER_EXPIRY_MS = DAY_MS;
const DEFAULT_TRANSACTIONAL_ID_EXPIRY_MS = 7 * DAY_MS;

/**
 * Opens every volume under `dataDir`, recovering what a crash left, and owns the folder until `close`. A volume that
 * cannot be opened is listed as stopped, with the reason; the others serve.
 * @throws EngineError `folder-unusable`, `disk-full`, `folder-in-use`
 */
export function openLogEngine(options: EngineOptions): Promise<LogEngine> {
  return openEngineOn(options);
}

/** As `openLogEngine`; takes one volume only where one is named. */
export async function openEngineOn(options: EngineOptions, onlyVolume?: string): Promise<LogEngine> {
  const disk = options.disk ?? nodeDisk;
  const dataDir = resolve(options.dataDir);
  const registry = new ProducerRegistry();
  const clock = options.clock ?? Date.now;
  const onEvent = options.onEvent ?? (() => undefined);
  const reserveBytes = options.reserveBytes ?? DEFAULT_RESERVE_BYTES;
  const context: EngineContext = {
    disk,
    segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
    volumeQuotaBytes: options.volumeQuotaBytes ?? DEFAULT_QUOTA_BYTES,
    mayHaveGaps: options.mayHaveGaps ?? false,
    maintenanceIntervalMs: options.maintenanceIntervalMs ?? DEFAULT_MAINTENANCE_INTERVAL_MS,
    diskRoom: new DiskRoom(disk, { dataDir, reserveBytes, clock, onEvent }),
    clock,
    onEvent,
    tailCache: new TailCache(TAIL_CACHE_BYTES),
    indexCache: new IndexCache(INDEX_CACHE_BYTES),
    openFiles: new OpenFiles(disk, MAX_OPEN_FILES),
    transactions: registry,
  };
  const lock = await ownFolder(disk, dataDir);
  const engine = new Engine(context, registry, { ...options, dataDir }, lock, onlyVolume);
  try {
    await engine.recover();
  } catch (error) {
    await engine.close();
    throw unusable(dataDir, error);
  }
  return engine;
}

async function ownFolder(disk: Disk, dataDir: string): Promise<FolderLock> {
  try {
    await disk.makeFolder(dataDir);
    await disk.syncFolder(dirname(dataDir));
    return await disk.locks.lockFolder(dataDir);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

class Engine implements LogEngine {
  readonly #context: EngineContext;
  readonly #dataDir: string;
  readonly #lock: FolderLock;
  readonly #volumes: Volumes;
  readonly #catalog: FileCatalog;
  readonly #snapshots: SnapshotTaker;
  readonly #transactions: TransactionCoordinator;
  readonly #maintenance: Maintenance;
  readonly #producerExpiryMs: number;
  #closing: Promise<void> | undefined;

  constructor(
    context: EngineContext,
    registry: ProducerRegistry,
    options: EngineOptions,
    lock: FolderLock,
    onlyVolume: string | undefined,
  ) {
    this.#context = context;
    const { dataDir } = options;
    this.#dataDir = dataDir;
    this.#lock = lock;
    this.#catalog = new FileCatalog({ ...context, dataDir });
    const visibility = options.visibility ?? 'synced';
    this.#volumes = new Volumes(
      { context, dataDir, visibility, onlyVolume, catalog: this.#catalog },
      {
        onOpened: (journals) => this.#transactions.admit(journals),
        beforeDeletion: (volume) => this.#snapshots.idle(volume),
        onDeleted: (volume, topics) => this.#forgetVolume(volume, topics),
      },
    );
    const volumes = this.#volumes;
    const journalOf = (volume: string): Journal => volumes.existing(volume);
    this.#snapshots = new SnapshotTaker({
      ...context,
      dataDir,
      catalog: this.#catalog,
      journalOf,
      betweenEndings: (work) => this.#transactions.betweenEndings(work),
    });
    this.#maintenance = new Maintenance(context.maintenanceIntervalMs, () => this.#maintainAll());
    const limits = {
      maxTimeoutMs: options.maxTransactionTimeoutMs ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS,
      transactionalIdExpiryMs: options.transactionalIdExpiryMs ?? DEFAULT_TRANSACTIONAL_ID_EXPIRY_MS,
    };
    this.#transactions = new TransactionCoordinator({ ...context, registry, volumes, limits });
    this.#producerExpiryMs = options.producerExpiryMs ?? DEFAULT_PRODUCER_EXPIRY_MS;
  }

  /** Removes what a crash left half made, and opens the volumes that are there. */
  async recover(): Promise<void> {
    await this.#context.diskRoom.look();
    const { disk, onEvent } = this.#context;
    const onLeftover = (detail: string): void => onEvent({ kind: 'leftover-stays', detail });
    // What a killed process named may be in the system's memory only; others will rest on it, so it must stay.
    await disk.syncFolder(this.#dataDir);
    await syncSnapshots(disk, this.#dataDir);
    await sweepSnapshots(disk, this.#dataDir, onLeftover);
    await sweepStaging(disk, this.#dataDir, onLeftover);
    await this.#volumes.recover();
    await this.#snapshots.resume();
    await this.#transactions.admit(this.#volumes.all());
    this.#maintenance.start();
  }

  topics(): TopicDescription[] {
    return this.#volumes
      .all()
      .flatMap((journal) => [...journal.durable.topics.values()].map((row) => describeTopic(journal.volume, row)));
  }

  topic(name: string): TopicDescription | undefined {
    const found = this.#find(name);
    return found && describeTopic(found.journal.volume, found.row);
  }

  partition(topic: string, partition: number): PartitionLog | undefined {
    const found = this.#find(topic);
    const id = found?.row.partitionIds[partition];
    return id === undefined ? undefined : found?.journal.partitions.get(id);
  }

  async createTopic(name: string, options: TopicOptions): Promise<TopicDescription> {
    const volume = volumeOfTopic(name);
    const creation = topicCreation(name, options);
    const journal = await this.#volumes.open(volume);
    return describeTopic(volume, await journal.record(creation));
  }

  async alterTopic(name: string, change: TopicChange): Promise<TopicDescription> {
    const alteration = topicAlteration(name, change);
    const journal = this.#find(name)?.journal;
    if (journal === undefined) throw unknownTopic(name);
    return describeTopic(journal.volume, await journal.record(alteration));
  }

  async deleteTopic(name: string): Promise<void> {
    const journal = this.#find(name)?.journal;
    if (journal === undefined) throw unknownTopic(name);
    await journal.record((state) => {
      if (!state.topics.has(name)) throw unknownTopic(name);
      return { kind: 'topic-deleted', name } as const;
    });
    await this.#forgetOffsetsOf(name);
  }

  async commitOffsets(group: string, offsets: CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const journal = await this.#volumes.open(volumeOfGroup(group));
    await journal.record(() => ({ kind: 'offsets-committed', group, offsets: offsets.map(offsetRow) }) as const);
  }

  committedOffsets(group: string): CommittedOffset[] {
    this.#volumes.refused.check(volumeOfGroup(group));
    const rows = this.#volumes.find(volumeOfGroup(group))?.durable.offsetsOf(group) ?? [];
    return rows.map(committedOffset);
  }

  groupsWithOffsets(): string[] {
    return this.#volumes.all().flatMap((journal) => journal.durable.groups());
  }

  async deleteGroupOffsets(group: string, partitions?: readonly { topic: string; partition: number }[]): Promise<void> {
    this.#volumes.refused.check(volumeOfGroup(group));
    const journal = this.#volumes.find(volumeOfGroup(group));
    await journal?.record(() => offsetDeletion(group, partitions));
  }

  async openProducer(options: OpenProducerOptions = {}): Promise<ProducerIdentity> {
    this.#checkOpen();
    return this.#transactions.openProducer(options);
  }

  async beginTransaction(producer: TransactionalProducer): Promise<void> {
    this.#checkOpen();
    this.#transactions.begin(producer);
  }

  async commitOffsetsInTransaction(
    producer: TransactionalProducer,
    group: string,
    offsets: CommittedOffset[],
  ): Promise<void> {
    this.#checkOpen();
    await this.#transactions.commitOffsets(producer, group, offsets);
  }

  async endTransaction(
    producer: TransactionalProducer,
    outcome: TransactionOutcome,
    { bumpEpoch = false }: { bumpEpoch?: boolean } = {},
  ): Promise<ProducerIdentity> {
    this.#checkOpen();
    return this.#transactions.end(producer, outcome, bumpEpoch);
  }

  unstableOffsets(group: string): { topic: string; partition: number }[] {
    this.#volumes.refused.check(volumeOfGroup(group));
    const pending = this.#volumes.find(volumeOfGroup(group))?.durable.transactions.allPending() ?? [];
    const rows = pending.filter((each) => each.group === group).flatMap(({ offsets }) => offsets);
    return rows.map(([topic, partition]) => ({ topic, partition }));
  }

  transactions(): TransactionDescription[] {
    return this.#transactions.describe();
  }

  volumes(): VolumeDescription[] {
    return this.#volumes.describe();
  }

  async createSnapshot(
    name: string,
    pins: Pins | (() => Pins),
    { volumes = [] }: { volumes?: readonly string[] } = {},
  ): Promise<SnapshotManifest> {
    this.#checkOpen();
    return this.#snapshots.take(name, pins, volumes);
  }

  async publishFile(
    volume: string,
    path: string,
    fromPath: string,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<FileDescription> {
    this.#checkOpen();
    return this.#catalog.publish(this.#volumes.existing(volume), path, fromPath, details);
  }

  async removeFile(volume: string, path: string): Promise<void> {
    this.#checkOpen();
    return this.#catalog.remove(this.#volumes.existing(volume), path);
  }

  files(volume: string): FileDescription[] {
    return [...this.#volumes.existing(volume).durable.files.values()];
  }

  async adoptVolume(stagingId: string): Promise<VolumeDescription> {
    this.#checkOpen();
    return this.#volumes.adopt(stagingId);
  }

  async restoreVolume(snapshot: string, volume?: string): Promise<VolumeDescription> {
    this.#checkOpen();
    const { disk } = this.#context;
    const restored = await stageSnapshot(this.#dataDir, snapshot, {
      disk,
      ...(volume === undefined ? {} : { volume }),
    });
    try {
      return await this.adoptVolume(restored.id);
    } finally {
      await restored.discard();
    }
  }

  async deleteVolume(name: string): Promise<void> {
    this.#checkOpen();
    return this.#volumes.delete(name);
  }

  maintain(): Promise<void> {
    return this.#maintenance.run();
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const maintained = this.#maintenance.stop();
    await Promise.allSettled([this.#volumes.settle(), this.#snapshots.close(), this.#transactions.idle()]);
    try {
      await this.#volumes.closeJournals();
      await maintained;
      await this.#context.openFiles.close();
    } finally {
      await this.#lock.release();
    }
  }

  async #maintainAll(): Promise<void> {
    await this.#context.diskRoom.look();
    for (const journal of this.#volumes.all()) journal.expireProducers(this.#producerExpiryMs);
    await this.#transactions.maintain();
    for (const journal of this.#volumes.all()) await journal.maintain();
  }

  #find(topic: string): { journal: Journal; row: TopicRow } | undefined {
    const volume = volumeOfName(topic);
    this.#volumes.refused.check(volume);
    const journal = this.#volumes.find(volume);
    const row = journal?.durable.topics.get(topic);
    return journal && row && { journal, row };
  }

  /** The topic is gone already: a volume that can record nothing, and has told so as it stopped, takes nothing back. */
  async #forgetOffsetsOf(topic: string): Promise<void> {
    const journals = this.#volumes.all().filter(({ durable }) => durable.hasOffsetsOfTopic(topic));
    await Promise.allSettled(
      journals.map((journal) => journal.record(() => ({ kind: 'topic-offsets-deleted', topic }) as const)),
    );
  }

  async #forgetVolume(volume: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) await this.#forgetOffsetsOf(topic);
    await this.#transactions.forgetVolume(volume);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EngineError('volume-stopped', `${this.#dataDir} is closed`);
  }
}
