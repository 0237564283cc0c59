import { crc32c } from '@node-rs/crc32';
import { BatchList, GrowingList } from './batch-list.ts';
import type { DiskFile } from './disk.ts';
import { type Directory, entriesOf, type PartitionSummary, summarize } from './index-file.ts';

/** Where a segment's batches lie. */
export interface SegmentIndex {
  firstOffset(partitionId: number): number | undefined;
  summary(partitionId: number): PartitionSummary | undefined;
  /** The batches of a partition, which `summary` says are there; a promise when they must be read first. */
  batches(partitionId: number): BatchList | Promise<BatchList>;
}

/** The index of a segment that is written to, or whose index file is not in place yet. */
export class GrowingIndex implements SegmentIndex {
  readonly lists = new Map<number, GrowingList>();

  add(
    partitionId: number,
    baseOffset: number,
    lastOffsetDelta: number,
    maxTimestampMs: number,
    position: number,
    batchBytes: number,
    attributes: number,
  ): void {
    let list = this.lists.get(partitionId);
    if (list === undefined) {
      list = new GrowingList();
      this.lists.set(partitionId, list);
    }
    list.add(baseOffset, lastOffsetDelta, maxTimestampMs, position, batchBytes, attributes);
  }

  firstOffset(partitionId: number): number | undefined {
    return this.lists.get(partitionId)?.baseOffset(0);
  }

  summary(partitionId: number): PartitionSummary | undefined {
    const list = this.lists.get(partitionId);
    return list && summarize(partitionId, list);
  }

  batches(partitionId: number): BatchList {
    return this.lists.get(partitionId) ?? NONE;
  }
}

/** Where a sealed segment's index is read from. */
export interface IndexSource {
  /** The entries of the partition in row `i` of the directory; undefined unless they are whole and can be told to be. */
  readPart(directory: Directory, i: number): Promise<Buffer | undefined>;
  /** All of it, made anew where it is not to be trusted. */
  readAll(): Promise<{ directory: Directory; entries: Buffer }>;
}

/**
 * The index of a sealed segment: its directory stays in memory. Entries come from a bounded cache, each partition's by
 * themselves: a segment may hold thousands of which nobody asks for more than one.
 */
export class SealedIndex implements SegmentIndex {
  /** Replaced when the index had to be rebuilt. */
  directory: Directory;
  readonly #cache: IndexCache;
  readonly #source: IndexSource;
  /** By partition id; all entries under `ALL`. */
  readonly #parts = new Map<number, CachedPart>();
  readonly #loading = new Map<number, Promise<Buffer>>();

  constructor(directory: Directory, cache: IndexCache, source: IndexSource) {
    this.directory = directory;
    this.#cache = cache;
    this.#source = source;
  }

  firstOffset(partitionId: number): number | undefined {
    const i = this.directory.indexOf(partitionId);
    return i < 0 ? undefined : this.directory.firstOffset(i);
  }

  summary(partitionId: number): PartitionSummary | undefined {
    return this.directory.find(partitionId);
  }

  batches(partitionId: number): BatchList | Promise<BatchList> {
    const i = this.directory.indexOf(partitionId);
    if (i < 0) return NONE;
    const all = this.#cached(ALL);
    if (all !== undefined) return this.#cut(all, partitionId);
    const part = this.#cached(partitionId);
    return part === undefined ? this.#load(partitionId, i) : new BatchList(part);
  }

  /** Reads all entries at once, for one who is about to ask for those of every partition. */
  async loadAll(): Promise<Buffer> {
    return this.#cached(ALL) ?? (await this.#once(ALL, () => this.#readAll()));
  }

  /** Lets its entries go. */
  forget(): void {
    for (const part of this.#parts.values()) this.#cache.drop(part);
    this.#parts.clear();
  }

  async #load(partitionId: number, i: number): Promise<BatchList> {
    const { directory } = this;
    const bytes = await this.#once(partitionId, async () => {
      const part = await this.#source.readPart(directory, i);
      if (part === undefined) return this.#cut(await this.loadAll(), partitionId).bytes;
      this.#keep(partitionId, part);
      return part;
    });
    return new BatchList(bytes);
  }

  async #readAll(): Promise<Buffer> {
    const { directory, entries } = await this.#source.readAll();
    this.directory = directory;
    this.#keep(ALL, entries);
    return entries;
  }

  #cut(entries: Buffer, partitionId: number): BatchList {
    const row = this.directory.find(partitionId);
    return row === undefined ? NONE : new BatchList(entriesOf(entries, row));
  }

  #cached(id: number): Buffer | undefined {
    const part = this.#parts.get(id);
    if (part !== undefined) this.#cache.use(part);
    return part?.bytes;
  }

  #keep(id: number, bytes: Buffer): void {
    const part = { bytes, forget: () => this.#parts.delete(id) };
    this.#parts.set(id, part);
    this.#cache.add(part);
  }

  /** Lets everyone who asks meanwhile wait for the same bytes. */
  #once(id: number, load: () => Promise<Buffer>): Promise<Buffer> {
    const loading = this.#loading.get(id) ?? load().finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }
}

/** Stands for the entries of all partitions, which have ids from 0. */
const ALL = -1;
const NONE = new BatchList();

/** Entries in the cache. */
export interface CachedPart {
  readonly bytes: Buffer;
  /** Called when the cache lets it go. */
  forget(): void;
}

/** What a part takes besides its bytes, about. */
const PART_OVERHEAD_BYTES = 512;

/** Entries of sealed segments' indexes, at most so many bytes; those used longest ago go first. */
export class IndexCache {
  readonly #limitBytes: number;
  readonly #parts = new Set<CachedPart>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(part: CachedPart): void {
    this.#parts.add(part);
    this.#bytes += part.bytes.length + PART_OVERHEAD_BYTES;
    for (const oldest of this.#parts) {
      if (this.#bytes <= this.#limitBytes || oldest === part) return;
      this.drop(oldest);
      oldest.forget();
    }
  }

  /** It was used just now. */
  use(part: CachedPart): void {
    if (this.#parts.delete(part)) this.#parts.add(part);
  }

  drop(part: CachedPart): void {
    if (this.#parts.delete(part)) this.#bytes -= part.bytes.length + PART_OVERHEAD_BYTES;
  }
}

/** Reads a checked part of an index file; undefined when it is short or does not match its CRC. */
export async function readChecked(
  file: DiskFile,
  position: number,
  sizeBytes: number,
  crc: number,
): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(sizeBytes);
  const read = await file.read(bytes, position);
  return read === sizeBytes && crc32c(bytes) === crc ? bytes : undefined;
}
