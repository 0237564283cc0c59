import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import type {
  CommittedOffset,
  EngineOptions,
  LogEngine,
  PartitionLog,
  TopicDescription,
  Visibility,
  VolumeDescription,
} from './api.ts';
import type { OffsetRow, TopicRow } from './control-record.ts';
import { type Disk, hasCode, isDiskFull, nodeDisk } from './disk.ts';
import { EngineError } from './errors.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { type EngineContext, Journal } from './journal.ts';
import { JournalState } from './journal-state.ts';
import { isVolumeName, volumeOfGroup, volumeOfTopic } from './names.ts';
import { OpenFiles } from './open-files.ts';
import { recoverJournal } from './recovery.ts';
import { IndexCache } from './segment-index.ts';
import { TailCache } from './tail-cache.ts';
import { checkPartitionCount, checkTopicSettings } from './topic-settings.ts';

const JOURNAL_FOLDER = 'journal';
const MEBIBYTE = 1024 * 1024;
const DEFAULT_SEGMENT_BYTES = 64 * MEBIBYTE;
const DEFAULT_QUOTA_BYTES = 2048 * MEBIBYTE;
const TAIL_CACHE_BYTES = 16 * MEBIBYTE;
const INDEX_CACHE_BYTES = 16 * MEBIBYTE;
const MAX_OPEN_FILES = 64;

/**
 * Opens every volume under `dataDir`, recovering what a crash left, and owns the folder until `close`.
 * @throws EngineError `folder-unusable`, `disk-full`, `folder-in-use`, `format-newer`, `not-a-segment`,
 * `journal-damaged`
 */
export function openLogEngine(options: EngineOptions): Promise<LogEngine> {
  return openEngineOn(nodeDisk, options);
}

/** As `openLogEngine`, on a disk of the caller's. */
export async function openEngineOn(disk: Disk, options: EngineOptions): Promise<LogEngine> {
  const dataDir = resolve(options.dataDir);
  const context: EngineContext = {
    disk,
    segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
    volumeQuotaBytes: options.volumeQuotaBytes ?? DEFAULT_QUOTA_BYTES,
    clock: options.clock ?? Date.now,
    onEvent: options.onEvent ?? (() => undefined),
    tailCache: new TailCache(TAIL_CACHE_BYTES),
    indexCache: new IndexCache(INDEX_CACHE_BYTES),
    openFiles: new OpenFiles(disk, MAX_OPEN_FILES),
  };
  const lock = await ownFolder(disk, dataDir);
  const engine = new Engine(context, dataDir, options.visibility ?? 'synced', lock);
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
    return await lockFolder(dataDir);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** What the system says about a folder that cannot be used, as an error of ours. */
function unusable(dataDir: string, error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) {
    return new EngineError('disk-full', `the disk of ${dataDir} is full: ${reason}`, { cause: error });
  }
  if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'EISDIR')) return error;
  return new EngineError('folder-unusable', `${dataDir} cannot be used as data folder: ${reason}`, { cause: error });
}

class Engine implements LogEngine {
  readonly #context: EngineContext;
  readonly #dataDir: string;
  readonly #visibility: Visibility;
  readonly #lock: FolderLock;
  readonly #journals = new Map<string, Journal>();
  readonly #creating = new Map<string, Promise<Journal>>();
  #closing: Promise<void> | undefined;

  constructor(context: EngineContext, dataDir: string, visibility: Visibility, lock: FolderLock) {
    this.#context = context;
    this.#dataDir = dataDir;
    this.#visibility = visibility;
    this.#lock = lock;
  }

  /** Opens the journals that are there. Folders that cannot be volumes are none of ours. */
  async recover(): Promise<void> {
    const names = (await this.#context.disk.list(this.#dataDir)) ?? [];
    for (const name of names.filter(isVolumeName).sort()) {
      const journal = await recoverJournal(this.#context, name, this.#journalFolder(name));
      if (journal !== undefined) this.#journals.set(name, journal);
    }
  }

  topics(): TopicDescription[] {
    return [...this.#journals.values()].flatMap((journal) =>
      [...journal.durable.topics.values()].map((row) => describe(journal.volume, row)),
    );
  }

  topic(name: string): TopicDescription | undefined {
    const found = this.#find(name);
    return found && describe(found.journal.volume, found.row);
  }

  partition(topic: string, partition: number): PartitionLog | undefined {
    const found = this.#find(topic);
    const id = found?.row.partitionIds[partition];
    return id === undefined ? undefined : found?.journal.partitions.get(id);
  }

  async createTopic(
    name: string,
    options: { partitionCount: number; settings?: Record<string, string> },
  ): Promise<TopicDescription> {
    const volume = volumeOfTopic(name);
    checkPartitionCount(options.partitionCount);
    const settings = { ...options.settings };
    checkTopicSettings(settings);
    const journal = await this.#journalOf(volume);
    const created = await journal.record((state) => {
      if (state.topics.has(name)) throw new EngineError('topic-exists', `topic ${name} is there already`);
      const partitionIds = Array.from({ length: options.partitionCount }, (_, i) => state.nextPartitionId + i);
      return { kind: 'topic-created', name, id: randomBytes(16).toString('hex'), partitionIds, settings } as const;
    });
    return describe(volume, created);
  }

  async deleteTopic(name: string): Promise<void> {
    const journal = this.#find(name)?.journal;
    if (journal === undefined) throw unknownTopic(name);
    await journal.record((state) => {
      if (!state.topics.has(name)) throw unknownTopic(name);
      return { kind: 'topic-deleted', name } as const;
    });
    for (const other of this.#journals.values()) {
      if (!other.durable.hasOffsetsOfTopic(name)) continue;
      await other.record(() => ({ kind: 'topic-offsets-deleted', topic: name }) as const);
    }
  }

  async commitOffsets(group: string, offsets: CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const journal = await this.#journalOf(volumeOfGroup(group));
    await journal.record(() => ({ kind: 'offsets-committed', group, offsets: offsets.map(rowOf) }) as const);
  }

  committedOffsets(group: string): CommittedOffset[] {
    const rows = this.#journals.get(volumeOfGroup(group))?.durable.offsetsOf(group) ?? [];
    return rows.map(([topic, partition, offset, leaderEpoch, metadata]) => ({
      topic,
      partition,
      offset: BigInt(offset),
      leaderEpoch,
      metadata,
    }));
  }

  groupsWithOffsets(): string[] {
    return [...this.#journals.values()].flatMap((journal) => journal.durable.groups());
  }

  async deleteGroupOffsets(group: string): Promise<void> {
    const journal = this.#journals.get(volumeOfGroup(group));
    await journal?.record(() => ({ kind: 'offsets-deleted', group }) as const);
  }

  volumes(): VolumeDescription[] {
    return [...this.#journals.values()].map(({ volume, sizeBytes, segments, stopped }) => ({
      name: volume,
      sizeBytes,
      segments: segments.length,
      stopped: stopped && { reason: stopped.message, mend: stopped.mend },
    }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await Promise.allSettled(this.#creating.values());
    try {
      await Promise.all([...this.#journals.values()].map((journal) => journal.close()));
      await this.#context.openFiles.close();
    } finally {
      await this.#lock.release();
    }
  }

  #find(topic: string): { journal: Journal; row: TopicRow } | undefined {
    const dot = topic.indexOf('.');
    const journal = this.#journals.get(dot < 0 ? 'default' : topic.slice(0, dot));
    const row = journal?.durable.topics.get(topic);
    return journal && row && { journal, row };
  }

  /** The volume's journal, made when it is not there yet. */
  async #journalOf(volume: string): Promise<Journal> {
    if (this.#closing !== undefined) throw new EngineError('volume-stopped', `volume ${volume} is closed`);
    const journal = this.#journals.get(volume) ?? this.#creating.get(volume);
    if (journal !== undefined) return journal;
    const creating = this.#createJournal(volume).finally(() => this.#creating.delete(volume));
    this.#creating.set(volume, creating);
    return creating;
  }

  async #createJournal(volume: string): Promise<Journal> {
    const { disk } = this.#context;
    const folder = this.#journalFolder(volume);
    try {
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

function describe(volume: string, row: TopicRow): TopicDescription {
  return {
    name: row.name,
    volume,
    id: Buffer.from(row.id, 'hex'),
    partitionCount: row.partitionIds.length,
    settings: row.settings,
  };
}

function rowOf({ topic, partition, offset, leaderEpoch, metadata }: CommittedOffset): OffsetRow {
  return [topic, partition, String(offset), leaderEpoch, metadata];
}

function unknownTopic(name: string): EngineError {
  return new EngineError('unknown-topic', `there is no topic ${name}`);
}
