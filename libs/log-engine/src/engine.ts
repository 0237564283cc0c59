import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { moveStagedIn, volumeExists } from './adoption.ts';
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
  Visibility,
  VolumeDescription,
} from './api.ts';
import type { TopicRow } from './control-record.ts';
import { type Disk, discardFolder, hasCode, isDiskFull, nodeDisk, removeDiscarded } from './disk.ts';
import { DiskRoom } from './disk-room.ts';
import { EngineError } from './errors.ts';
import { FileCatalog } from './file-catalog.ts';
import type { FolderLock } from './folder-lock.ts';
import { Journal } from './journal.ts';
import type { EngineContext } from './journal-context.ts';
import { JournalState } from './journal-state.ts';
import { tryToRemove } from './leftovers.ts';
import { Maintenance } from './maintenance.ts';
import { checkVolumeName, isVolumeName, volumeOfGroup, volumeOfTopic } from './names.ts';
import { OpenFiles } from './open-files.ts';
import { ProducerRegistry } from './producer-registry.ts';
import { recoverJournal } from './recovery.ts';
import { RefusedVolumes } from './refused-volumes.ts';
import { IndexCache } from './segment-index.ts';
import { sweepSnapshots } from './snapshot-folder.ts';
import { stageSnapshot } from './snapshot-restore.ts';
import { SnapshotTaker } from './snapshot-taking.ts';
import { type FinishedVolume, finishedVolume, removeStaging, stagingPath, sweepStaging } from './staging-folder.ts';
import { TailCache } from './tail-cache.ts';
import {
  committedOffset,
  describeTopic,
  offsetRow,
  topicAlteration,
  topicCreation,
  unknownTopic,
} from './topic-rows.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';

const JOURNAL_FOLDER = 'journal';
/** What a deleted volume is called until all of it is removed. */
const TRASH = '.trash-';
const MEBIBYTE = 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 64 * MEBIBYTE;
const DEFAULT_QUOTA_BYTES = 2048 * MEBIBYTE;
const TAIL_CACHE_BYTES = 16 * MEBIBYTE;
const INDEX_CACHE_BYTES = 16 * MEBIBYTE;
const MAX_OPEN_FILES = 64;
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

/** What the system says about a folder that cannot be used, as an error of ours. */
export function unusable(dataDir: string, error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    return new EngineError('disk-full', `the disk of ${dataDir} is full: ${reason}`, { cause: error });
  }
  if (hasCode(error, 'EMFILE', 'ENFILE')) {
    const mend = 'Let the process have more open files (ulimit -n), then start again.';
    return new EngineError('folder-unusable', `${dataDir} cannot be opened: ${reason}`, { cause: error, mend });
  }
  if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'EISDIR')) return error;
  return new EngineError('folder-unusable', `${dataDir} cannot be used as data folder: ${reason}`, { cause: error });
}

class Engine implements LogEngine {
  readonly #context: EngineContext;
  readonly #dataDir: string;
  readonly #visibility: Visibility;
  readonly #lock: FolderLock;
  readonly #onlyVolume: string | undefined;
  readonly #onLeftover = (detail: string): void => this.#context.onEvent({ kind: 'leftover-stays', detail });
  readonly #journals = new Map<string, Journal>();
  readonly #creating = new Map<string, Promise<Journal>>();
  readonly #deleting = new Map<string, Promise<void>>();
  readonly #refused = new RefusedVolumes();
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
    this.#visibility = options.visibility ?? 'synced';
    this.#lock = lock;
    this.#onlyVolume = onlyVolume;
    this.#catalog = new FileCatalog({ ...context, dataDir });
    this.#snapshots = new SnapshotTaker({
      ...{ ...context, dataDir, catalog: this.#catalog },
      journalOf: (volume) => this.#existing(volume),
    });
    this.#maintenance = new Maintenance(context.maintenanceIntervalMs, () => this.#maintainAll());
    const volumes = {
      find: (volume: string) => this.#journals.get(volume),
      open: (volume: string) => this.#journalOf(volume),
      refused: this.#refused,
    };
    const limits = {
      maxTimeoutMs: options.maxTransactionTimeoutMs ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS,
      transactionalIdExpiryMs: options.transactionalIdExpiryMs ?? DEFAULT_TRANSACTIONAL_ID_EXPIRY_MS,
    };
    this.#transactions = new TransactionCoordinator({ ...context, registry, volumes, limits });
    this.#producerExpiryMs = options.producerExpiryMs ?? DEFAULT_PRODUCER_EXPIRY_MS;
  }

  /** Opens the journals that are there, after removing what a crash left half made. Other folders are none of ours. */
  async recover(): Promise<void> {
    await this.#context.diskRoom.look();
    const { disk } = this.#context;
    const names = (await disk.list(this.#dataDir)) ?? [];
    for (const path of names.filter((name) => name.startsWith(TRASH)).map((name) => join(this.#dataDir, name))) {
      await tryToRemove(path, this.#onLeftover, () => removeDiscarded(disk, path));
    }
    await sweepSnapshots(disk, this.#dataDir, this.#onLeftover);
    await sweepStaging(disk, this.#dataDir, this.#onLeftover);
    for (const name of names.filter(isVolumeName).sort()) await this.#recoverOrRefuse(name);
    await this.#snapshots.resume();
    await this.#transactions.admit([...this.#journals.values()]);
    this.#maintenance.start();
  }

  topics(): TopicDescription[] {
    return [...this.#journals.values()].flatMap((journal) =>
      [...journal.durable.topics.values()].map((row) => describeTopic(journal.volume, row)),
    );
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
    const journal = await this.#journalOf(volume);
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
    const journal = await this.#journalOf(volumeOfGroup(group));
    await journal.record(() => ({ kind: 'offsets-committed', group, offsets: offsets.map(offsetRow) }) as const);
  }

  committedOffsets(group: string): CommittedOffset[] {
    this.#refused.check(volumeOfGroup(group));
    const rows = this.#journals.get(volumeOfGroup(group))?.durable.offsetsOf(group) ?? [];
    return rows.map(committedOffset);
  }

  groupsWithOffsets(): string[] {
    return [...this.#journals.values()].flatMap((journal) => journal.durable.groups());
  }

  async deleteGroupOffsets(group: string): Promise<void> {
    this.#refused.check(volumeOfGroup(group));
    const journal = this.#journals.get(volumeOfGroup(group));
    await journal?.record(() => ({ kind: 'offsets-deleted', group }) as const);
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

  transactions(): TransactionDescription[] {
    return this.#transactions.describe();
  }

  volumes(): VolumeDescription[] {
    return [...[...this.#journals.values()].map(describeVolume), ...this.#refused.describe()];
  }

  async createSnapshot(
    name: string,
    pins: Pins | (() => Pins),
    { volumes = [] }: { volumes?: string[] } = {},
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
    return this.#catalog.publish(this.#existing(volume), path, fromPath, details);
  }

  async removeFile(volume: string, path: string): Promise<void> {
    this.#checkOpen();
    return this.#catalog.remove(this.#existing(volume), path);
  }

  files(volume: string): FileDescription[] {
    return [...this.#existing(volume).durable.files.values()];
  }

  async adoptVolume(stagingId: string): Promise<VolumeDescription> {
    this.#checkOpen();
    const finished = await finishedVolume(this.#context.disk, this.#dataDir, stagingId);
    const { volume } = finished;
    checkVolumeName(volume);
    await this.#untilDeleted(volume);
    this.#checkOpen();
    if (this.#journals.has(volume) || this.#creating.has(volume)) throw volumeExists(volume);
    return describeVolume(await this.#making(volume, () => this.#adopt(stagingId, finished)));
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
    if (!isVolumeName(name) || this.#deleting.has(name)) throw this.#unknownVolume(name);
    const deleting = this.#delete(name).finally(() => this.#deleting.delete(name));
    this.#deleting.set(name, deleting);
    return deleting;
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
    await Promise.allSettled([
      ...this.#creating.values(),
      ...this.#deleting.values(),
      this.#snapshots.close(),
      this.#transactions.idle(),
    ]);
    try {
      await Promise.all([...this.#journals.values()].map((journal) => journal.close()));
      await maintained;
      await this.#context.openFiles.close();
    } finally {
      await this.#lock.release();
    }
  }

  async #maintainAll(): Promise<void> {
    await this.#context.diskRoom.look();
    for (const journal of this.#journals.values()) journal.expireProducers(this.#producerExpiryMs);
    await this.#transactions.maintain();
    for (const journal of this.#journals.values()) await journal.maintain();
  }

  #find(topic: string): { journal: Journal; row: TopicRow } | undefined {
    const dot = topic.indexOf('.');
    const volume = dot < 0 ? 'default' : topic.slice(0, dot);
    this.#refused.check(volume);
    const journal = this.#journals.get(volume);
    const row = journal?.durable.topics.get(topic);
    return journal && row && { journal, row };
  }

  /** The topic is gone already: a volume that can record nothing, and has told so as it stopped, takes nothing back. */
  async #forgetOffsetsOf(topic: string): Promise<void> {
    const journals = [...this.#journals.values()].filter(({ durable }) => durable.hasOffsetsOfTopic(topic));
    await Promise.allSettled(
      journals.map((journal) => journal.record(() => ({ kind: 'topic-offsets-deleted', topic }) as const)),
    );
  }

  /** @throws EngineError `unknown-volume`, `volume-stopped` */
  #existing(volume: string): Journal {
    this.#refused.check(volume);
    const journal = this.#deleting.has(volume) ? undefined : this.#journals.get(volume);
    if (journal === undefined) throw this.#unknownVolume(volume);
    return journal;
  }

  async #adopt(stagingId: string, finished: FinishedVolume): Promise<Journal> {
    const staged = { ...finished, dataDir: this.#dataDir, id: stagingId, journalFolder: JOURNAL_FOLDER };
    await moveStagedIn(this.#context, staged);
    const journal = await this.#createJournal(finished.volume);
    // The volume is in place: what is left of its staging is swept later, if not now.
    const { disk } = this.#context;
    await tryToRemove(stagingPath(this.#dataDir, stagingId), this.#onLeftover, () =>
      removeStaging(disk, this.#dataDir, stagingId),
    );
    return journal;
  }

  async #delete(name: string): Promise<void> {
    const { disk } = this.#context;
    await this.#creating.get(name)?.catch(() => undefined);
    const journal = this.#journals.get(name);
    const folder = join(this.#dataDir, name);
    if (journal === undefined && (await disk.look(folder)) === undefined) throw this.#unknownVolume(name);
    const topics = [...(journal?.durable.topics.keys() ?? [])];
    this.#journals.delete(name);
    await this.#snapshots.idle(name);
    await journal?.closeDeleted();
    try {
      await discardFolder(disk, folder, join(this.#dataDir, `${TRASH}${name}-${randomBytes(8).toString('hex')}`));
    } catch (error) {
      const found = await this.#recoverVolume(name);
      if (found !== undefined) await this.#transactions.admit([found]);
      throw unusable(folder, error);
    }
    const wasRefused = this.#refused.forget(name);
    // Readers that were under way may have opened files once more; a new volume of this name must not be served them.
    journal?.forgetInMemory();
    for (const topic of topics) await this.#forgetOffsetsOf(topic);
    await this.#transactions.forgetVolume(name);
    if (wasRefused) await this.#transactions.admit([...this.#journals.values()]);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EngineError('volume-stopped', `${this.#dataDir} is closed`);
  }

  #unknownVolume(name: string): EngineError {
    const names = [...this.#journals.keys()].sort();
    const there = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`;
    return new EngineError('unknown-volume', `there is no volume ${name}; ${there}`);
  }

  async #untilDeleted(volume: string): Promise<void> {
    await this.#deleting.get(volume)?.catch(() => undefined);
  }

  /** A volume that cannot be opened keeps no other one from being opened. */
  async #recoverOrRefuse(volume: string): Promise<void> {
    try {
      await this.#recoverVolume(volume);
    } catch (error) {
      this.#context.onEvent(this.#refused.add(volume, error));
    }
  }

  /** Undefined where that folder holds no journal. */
  async #recoverVolume(volume: string): Promise<Journal | undefined> {
    const journal = await recoverJournal(this.#context, volume, this.#journalFolder(volume));
    if (journal === undefined) return undefined;
    await this.#catalog.recover(journal);
    this.#journals.set(volume, journal);
    return journal;
  }

  /** The volume's journal, made when it is not there yet. */
  async #journalOf(volume: string): Promise<Journal> {
    if (this.#onlyVolume !== undefined && volume !== this.#onlyVolume) {
      throw new EngineError('illegal-name', `only volume ${this.#onlyVolume} is staged here, not ${volume}`);
    }
    await this.#untilDeleted(volume);
    if (this.#closing !== undefined) throw new EngineError('volume-stopped', `volume ${volume} is closed`);
    this.#refused.check(volume);
    const journal = this.#journals.get(volume) ?? this.#creating.get(volume);
    return journal ?? this.#making(volume, () => this.#createJournal(volume));
  }

  /** Lets everyone who comes meanwhile wait for the same journal. */
  #making(volume: string, make: () => Promise<Journal>): Promise<Journal> {
    const making = make().finally(() => this.#creating.delete(volume));
    this.#creating.set(volume, making);
    return making;
  }

  /** Recovers the journal where there is one: an adoption that failed behind its move has left the volume in place. */
  async #createJournal(volume: string): Promise<Journal> {
    const { disk } = this.#context;
    const folder = this.#journalFolder(volume);
    try {
      const found = await this.#recoverVolume(volume);
      if (found !== undefined) {
        await this.#transactions.admit([found]);
        return found;
      }
      await disk.makeFolder(folder);
      await disk.syncFolder(this.#dataDir);
      await disk.syncFolder(dirname(folder));
    } catch (error) {
      throw unusable(folder, error);
    }
    const journal = new Journal(this.#context, {
      volume,
      folder,
      volumeId: randomBytes(16),
      appended: new JournalState(this.#visibility),
      durable: new JournalState(this.#visibility),
      sealed: [],
      active: undefined,
      nextSegmentNumber: 1,
    });
    this.#journals.set(volume, journal);
    return journal;
  }

  #journalFolder(volume: string): string {
    return join(this.#dataDir, volume, JOURNAL_FOLDER);
  }
}

function describeVolume({ volume, sizeBytes, segments, stopped }: Journal): VolumeDescription {
  return {
    name: volume,
    sizeBytes,
    segments: segments.length,
    stopped: stopped && { reason: stopped.message, mend: stopped.mend },
  };
}
