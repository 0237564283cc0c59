import { join, resolve } from 'node:path';
import type {
  CommittedOffset,
  PartitionReader,
  ReadResult,
  Snapshot,
  SnapshotManifest,
  TopicDescription,
} from './api.ts';
import { type Disk, type DiskFile, hasCode, nodeDisk } from './disk.ts';
import { EngineError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import { JournalReader, type ReadableJournal, type ReadablePartition } from './journal-reader.ts';
import { JournalState } from './journal-state.ts';
import { SEGMENT_HEADER } from './layout.ts';
import { volumeOfSnapshot } from './names.ts';
import { OpenFiles } from './open-files.ts';
import { openUnchanged, type SealedSegment } from './sealed-segment.ts';
import { SEGMENT_ENDING, type Segment, type SegmentName, segmentBaseName } from './segment.ts';
import { isNamed, readSegmentHeader } from './segment-header.ts';
import { IndexCache } from './segment-index.ts';
import {
  damagedSnapshot,
  readCheckpoint,
  readManifest,
  type SnapshotCheckpoint,
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
  const described = await readCheckpoint(disk, folder, name);
  const journal = new FrozenJournal(disk, folder, manifest);
  await journal.open(described);
  return new OpenedSnapshot(manifest, JournalState.fromCheckpoint(described.checkpoint), journal, described);
}

/** The segments of a snapshot. Here nothing is passed over: what does not match is damage, and said to be. */
class FrozenJournal implements ReadableJournal {
  readonly volumeFolder: string;
  readonly reader: JournalReader;
  readonly #dataDir: string;
  readonly #name: string;
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #files: OpenFiles;
  segments: readonly SealedSegment[] = [];
  closed: EngineError | undefined;

  constructor(disk: Disk, dataDir: string, { name, volume }: SnapshotManifest) {
    this.#disk = disk;
    this.#files = new OpenFiles(disk, MAX_OPEN_FILES);
    this.volumeFolder = join(snapshotPath(dataDir, name), volume);
    this.reader = new JournalReader(this, this.#files);
    this.#dataDir = dataDir;
    this.#name = name;
    this.#folder = join(this.volumeFolder, 'journal');
  }

  async open({ volumeId, segments }: SnapshotCheckpoint): Promise<void> {
    const indexCache = new IndexCache(INDEX_CACHE_BYTES);
    const place = { disk: this.#disk, folder: this.#folder, indexCache };
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
      throw hasCode(error, 'ENOENT') ? await unknownSnapshot(this.#disk, this.#dataDir, this.#name) : error;
    }
  }

  async close(): Promise<void> {
    this.closed = new EngineError('volume-stopped', `snapshot ${this.#name} is closed`, {
      mend: 'Open the snapshot again.',
    });
    await this.#files.close();
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
      return await this.#disk.openForReading(path);
    } catch (error) {
      throw hasCode(error, 'ENOENT') ? damagedSnapshot(this.#name, `${path} is missing`) : error;
    }
  }
}

class OpenedSnapshot implements Snapshot {
  readonly manifest: SnapshotManifest;
  readonly #state: JournalState;
  readonly #journal: FrozenJournal;
  readonly #partitions: ReadonlyMap<number, FrozenPartition>;

  constructor(
    manifest: SnapshotManifest,
    state: JournalState,
    journal: FrozenJournal,
    { checkpoint }: SnapshotCheckpoint,
  ) {
    this.manifest = manifest;
    this.#state = state;
    this.#journal = journal;
    const places = new Map(checkpoint.partitions.map(([id, start, end]) => [id, { start, end }]));
    const partitions = checkpoint.topics.flatMap(({ name, partitionIds }) =>
      partitionIds.map((id, number) => new FrozenPartition(journal, name, number, id, places.get(id)!)),
    );
    this.#partitions = new Map(partitions.map((partition) => [partition.id, partition]));
  }

  topics(): TopicDescription[] {
    return [...this.#state.topics.values()].map((row) => describeTopic(this.manifest.volume, row));
  }

  topic(name: string): TopicDescription | undefined {
    const row = this.#state.topics.get(name);
    return row && describeTopic(this.manifest.volume, row);
  }

  partition(topic: string, partition: number): PartitionReader | undefined {
    const id = this.#state.topics.get(topic)?.partitionIds[partition];
    return id === undefined ? undefined : this.#partitions.get(id);
  }

  committedOffsets(group: string): CommittedOffset[] {
    return this.#state.offsetsOf(group).map(committedOffset);
  }

  groupsWithOffsets(): string[] {
    return this.#state.groups();
  }

  filePath(relativePath: string): string | undefined {
    const isThere = this.manifest.files.some(({ path }) => path === relativePath);
    return isThere ? join(this.#journal.volumeFolder, relativePath) : undefined;
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

class FrozenPartition implements PartitionReader, ReadablePartition {
  readonly topic: string;
  readonly partition: number;
  readonly id: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly visibleOffset: number;
  readonly isDeleted = false;
  readonly #journal: FrozenJournal;

  constructor(
    journal: FrozenJournal,
    topic: string,
    partition: number,
    id: number,
    { start, end }: { start: number; end: number },
  ) {
    this.#journal = journal;
    this.topic = topic;
    this.partition = partition;
    this.id = id;
    this.startOffset = start;
    this.endOffset = end;
    this.visibleOffset = end;
  }

  get logStartOffset(): bigint {
    return BigInt(this.startOffset);
  }

  get highWatermark(): bigint {
    return BigInt(this.endOffset);
  }

  read(offset: bigint, maxBytes: number): Promise<ReadResult> {
    return this.#journal.whileThere(this.#journal.reader.read(this, offset, maxBytes));
  }

  offsetForTimestamp(timestampMs: bigint): Promise<{ offset: bigint; timestampMs: bigint } | undefined> {
    return this.#journal.whileThere(this.#journal.reader.offsetForTimestamp(this, timestampMs));
  }
}
