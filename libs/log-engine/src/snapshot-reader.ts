import { join, resolve } from 'node:path';
import type {
  CommittedOffset,
  Isolation,
  PartitionReader,
  ReadResult,
  Snapshot,
  SnapshotManifest,
  TimedOffset,
  TopicDescription,
} from './api.ts';
import type { TopicRow } from './control-record.ts';
import { type Disk, type DiskFile, hasCode, nodeDisk } from './disk.ts';
import { EngineError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import { JournalReader, type ReadableJournal, type ReadablePartition } from './journal-reader.ts';
import { JournalState } from './journal-state.ts';
import { SEGMENT_HEADER } from './layout.ts';
import { volumeOfSnapshot } from './names.ts';
import { OpenFiles } from './open-files.ts';
import { PartitionProducers } from './partition-producers.ts';
import type { AbortedRow } from './partition-transactions.ts';
import { openUnchanged, type SealedSegment } from './sealed-segment.ts';
import { SEGMENT_ENDING, type Segment, type SegmentName, segmentBaseName } from './segment.ts';
import { isNamed, readSegmentHeader } from './segment-header.ts';
import { IndexCache } from './segment-index.ts';
import {
  damagedSnapshot,
  type FrozenVolume,
  readCheckpoint,
  readManifest,
  snapshotPath,
  unknownSnapshot,
} from './snapshot-folder.ts';
import { committedOffset, describeTopic } from './topic-rows.ts';

const INDEX_CACHE_BYTES = 16 * 1024 * 1024;
const MAX_OPEN_FILES = 32;

/**
 * Opens a snapshot to read, from any process, whether or not the data folder has an owner. Nothing is written.
 * @param name `market@open`
 * @throws EngineError `unknown-snapshot`, `illegal-name`, `snapshot-damaged`, `format-newer`
 */
export async function openSnapshot(
  dataDir: string,
  name: string,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<Snapshot> {
  volumeOfSnapshot(name);
  const folder = resolve(dataDir);
  const manifest = await readManifest(disk, folder, name);
  const { volumes } = await readCheckpoint(disk, folder, manifest);
  const indexCache = new IndexCache(INDEX_CACHE_BYTES);
  const files = new OpenFiles(disk, MAX_OPEN_FILES);
  const opened: OpenedVolume[] = [];
  for (const volume of volumes) {
    const journal = new FrozenJournal({ disk, dataDir: folder, indexCache, files }, name, volume.name);
    await journal.open(volume);
    opened.push(new OpenedVolume(journal, volume));
  }
  return new OpenedSnapshot(manifest, snapshotPath(folder, name), opened, files);
}

/** What the journals of one snapshot share. */
interface SnapshotContext {
  disk: Disk;
  dataDir: string;
  indexCache: IndexCache;
  files: OpenFiles;
}

/** The segments of a snapshot. Here nothing is passed over: what does not match is damage, and said to be. */
class FrozenJournal implements ReadableJournal {
  readonly reader: JournalReader;
  readonly #context: SnapshotContext;
  readonly #name: string;
  readonly #folder: string;
  segments: readonly SealedSegment[] = [];
  closed: EngineError | undefined;

  constructor(context: SnapshotContext, name: string, volume: string) {
    this.#context = context;
    this.reader = new JournalReader(this, context.files);
    this.#name = name;
    this.#folder = join(snapshotPath(context.dataDir, name), volume, 'journal');
  }

  async open({ volumeId, segments }: FrozenVolume): Promise<void> {
    const { disk, indexCache } = this.#context;
    const place = { disk, folder: this.#folder, indexCache };
    this.segments = await inParallel(segments, async ([number, segmentBytes, generation = 0]) => {
      const segmentHeaderCrc = await this.#checkSegment({ number, generation }, segmentBytes, volumeId);
      const identity = { volumeId: Buffer.from(volumeId, 'hex'), segmentNumber: number, generation, segmentBytes };
      return openUnchanged(place, { ...identity, segmentHeaderCrc });
    });
  }

  segmentPath(segment: SegmentName): string {
    return join(this.#folder, segmentBaseName(segment) + SEGMENT_ENDING);
  }

  reportDamage(segment: Segment, from: number, to: number): void {
    throw damagedSnapshot(this.#name, `${this.segmentPath(segment)}, bytes ${from} to ${to} do not match their CRC`);
  }

  /** Whoever deletes a snapshot takes its files away under those that read it. */
  async whileThere<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw hasCode(error, 'ENOENT')
        ? await unknownSnapshot(this.#context.disk, this.#context.dataDir, this.#name)
        : error;
    }
  }

  close(): void {
    this.closed = new EngineError('volume-stopped', `snapshot ${this.#name} is closed`, {
      mend: 'Open the snapshot again.',
    });
  }

  /** Gives the CRC of the segment's header. */
  async #checkSegment(segment: SegmentName, segmentBytes: number, volumeId: string): Promise<number> {
    const path = this.segmentPath(segment);
    const file = await this.#openSegment(path);
    try {
      const sizeBytes = await file.sizeBytes();
      if (sizeBytes !== segmentBytes) {
        throw damagedSnapshot(this.#name, `${path} has ${sizeBytes} bytes instead of ${segmentBytes}`);
      }
      const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
      const header = readSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)), path);
      const isThisOne =
        header !== undefined && isNamed(header, segment) && header.volumeId.toString('hex') === volumeId;
      if (!isThisOne) {
        throw damagedSnapshot(this.#name, `${path} does not begin with its segment header`);
      }
      return header.crc;
    } finally {
      await file.close();
    }
  }

  async #openSegment(path: string): Promise<DiskFile> {
    try {
      return await this.#context.disk.openForReading(path);
    } catch (error) {
      throw hasCode(error, 'ENOENT') ? damagedSnapshot(this.#name, `${path} is missing`) : error;
    }
  }
}

/** One volume of a snapshot. */
class OpenedVolume {
  readonly name: string;
  readonly journal: FrozenJournal;
  readonly state: JournalState;
  readonly partitions: ReadonlyMap<number, FrozenPartition>;

  constructor(journal: FrozenJournal, { name, checkpoint }: FrozenVolume) {
    this.name = name;
    this.journal = journal;
    this.state = JournalState.fromCheckpoint(checkpoint);
    const places = new Map(checkpoint.partitions.map(([id, start, end]) => [id, { start, end }]));
    const producers = PartitionProducers.fromCheckpoint(checkpoint);
    const partitions = checkpoint.topics.flatMap(({ name: topic, partitionIds }) =>
      partitionIds.map(
        (id, number) =>
          new FrozenPartition(journal, topic, number, { id, ...places.get(id)!, producers: producers.get(id) }),
      ),
    );
    this.partitions = new Map(partitions.map((partition) => [partition.id, partition]));
  }
}

class OpenedSnapshot implements Snapshot {
  readonly manifest: SnapshotManifest;
  readonly #path: string;
  readonly #volumes: readonly OpenedVolume[];
  readonly #files: OpenFiles;

  constructor(manifest: SnapshotManifest, path: string, volumes: readonly OpenedVolume[], files: OpenFiles) {
    this.manifest = manifest;
    this.#path = path;
    this.#volumes = volumes;
    this.#files = files;
  }

  topics(): TopicDescription[] {
    return this.#volumes.flatMap(({ name, state }) =>
      [...state.topics.values()].map((row) => describeTopic(name, row)),
    );
  }

  topic(name: string): TopicDescription | undefined {
    const found = this.#find(name);
    return found && describeTopic(found.volume.name, found.row);
  }

  partition(topic: string, partition: number): PartitionReader | undefined {
    const found = this.#find(topic);
    const id = found?.row.partitionIds[partition];
    return id === undefined ? undefined : found?.volume.partitions.get(id);
  }

  committedOffsets(group: string): CommittedOffset[] {
    return this.#volumes.flatMap(({ state }) => state.offsetsOf(group).map(committedOffset));
  }

  groupsWithOffsets(): string[] {
    return this.#volumes.flatMap(({ state }) => state.groups());
  }

  filePath(relativePath: string, volume = this.manifest.volume): string | undefined {
    const isThere = this.manifest.files.some((file) => file.volume === volume && file.path === relativePath);
    return isThere ? join(this.#path, volume, relativePath) : undefined;
  }

  async close(): Promise<void> {
    for (const { journal } of this.#volumes) journal.close();
    await this.#files.close();
  }

  /** No two volumes have a topic of the same name. */
  #find(topic: string): { volume: OpenedVolume; row: TopicRow } | undefined {
    for (const volume of this.#volumes) {
      const row = volume.state.topics.get(topic);
      if (row !== undefined) return { volume, row };
    }
    return undefined;
  }
}

/** Where a partition's log begins and ends at the cut, and what was known of its producers. */
interface FrozenPlace {
  id: number;
  start: number;
  end: number;
  producers: PartitionProducers | undefined;
}

class FrozenPartition implements PartitionReader, ReadablePartition {
  readonly topic: string;
  readonly partition: number;
  readonly id: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly visibleOffset: number;
  readonly stableOffset: number;
  readonly aborted: readonly AbortedRow[];
  readonly isDeleted = false;
  readonly #journal: FrozenJournal;

  constructor(journal: FrozenJournal, topic: string, partition: number, { id, start, end, producers }: FrozenPlace) {
    this.#journal = journal;
    this.topic = topic;
    this.partition = partition;
    this.id = id;
    this.startOffset = start;
    this.endOffset = end;
    this.visibleOffset = end;
    this.stableOffset = Math.max(producers?.transactions.firstUnstableOffset ?? end, start);
    this.aborted = producers?.transactions.aborted ?? [];
  }

  get lastStableOffset(): bigint {
    return BigInt(this.stableOffset);
  }

  get logStartOffset(): bigint {
    return BigInt(this.startOffset);
  }

  get highWatermark(): bigint {
    return BigInt(this.endOffset);
  }

  read(offset: bigint, maxBytes: number, isolation?: Isolation, into?: Buffer): Promise<ReadResult> {
    return this.#journal.whileThere(this.#journal.reader.read(this, offset, maxBytes, isolation, into));
  }

  offsetForTimestamp(timestampMs: bigint, isolation?: Isolation): Promise<TimedOffset | undefined> {
    return this.#journal.whileThere(this.#journal.reader.offsetForTimestamp(this, timestampMs, isolation));
  }

  offsetOfLatest(isolation?: Isolation): Promise<TimedOffset | undefined> {
    return this.#journal.whileThere(this.#journal.reader.offsetOfLatest(this, isolation));
  }
}
