import { crc32c } from '@node-rs/crc32';
import { BatchList } from './batch-list.ts';
import type { DiskFile } from './disk.ts';
import { type Directory, entriesOf, type PartitionSummary } from './index-file.ts';

/** Where a segment's batches lie. */
export interface SegmentIndex {
  firstOffset(partitionId: number): number | undefined;
  summary(partitionId: number): PartitionSummary | undefined;
  /** The batches of a partition, which `summary` says are there; a promise when they must be read first. */
  batches(partitionId: number): BatchList | Promise<BatchList>;
}

/** The index of a segment that is written to, or whose index file is not in place yet. */
export class GrowingIndex implements SegmentIndex {
  readonly lists = new Map<number, BatchList>();
  readonly #totals = new Map<number, { maxTimestampMs: number; batchBytes: number }>();

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
      list = new BatchList();
      this.lists.set(partitionId, list);
      this.#totals.set(partitionId, { maxTimestampMs, batchBytes: 0 });
    }
    list.add(baseOffset, lastOffsetDelta, maxTimestampMs, position, batchBytes, attributes);
    const totals = this.#totals.get(partitionId)!;
    totals.batchBytes += batchBytes;
    if (maxTimestampMs > totals.maxTimestampMs) totals.maxTimestampMs = maxTimestampMs;
  }

  firstOffset(partitionId: number): number | undefined {
    return this.lists.get(partitionId)?.baseOffset(0);
  }

  summary(partitionId: number): PartitionSummary | undefined {
    const list = this.lists.get(partitionId);
    if (list === undefined) return undefined;
    return {
      partitionId,
      firstEntry: 0,
      entryCount: list.count,
      firstOffset: list.baseOffset(0),
      lastOffset: list.lastOffset(list.count - 1),
      ...this.#totals.get(partitionId)!,
    };
  }

  batches(partitionId: number): BatchList {
    return this.lists.get(partitionId) ?? new BatchList();
  }
}

/** The index of a sealed segment: its directory stays in memory, its entries come from a bounded cache. */
export class SealedIndex implements SegmentIndex {
  /** Replaced when the index had to be rebuilt. */
  directory: Directory;
  readonly #cache: IndexCache;
  readonly #load: () => Promise<Buffer>;

  /** @param load reads the entries of all partitions */
  constructor(directory: Directory, cache: IndexCache, load: () => Promise<Buffer>) {
    this.directory = directory;
    this.#cache = cache;
    this.#load = load;
  }

  firstOffset(partitionId: number): number | undefined {
    return this.directory.find(partitionId)?.firstOffset;
  }

  summary(partitionId: number): PartitionSummary | undefined {
    return this.directory.find(partitionId);
  }

  batches(partitionId: number): BatchList | Promise<BatchList> {
    if (this.directory.find(partitionId) === undefined) return new BatchList();
    const entries = this.#cache.entries(this, this.#load);
    return entries instanceof Promise
      ? entries.then((bytes) => this.#cut(bytes, partitionId))
      : this.#cut(entries, partitionId);
  }

  /** Lets its entries go. */
  forget(): void {
    this.#cache.forget(this);
  }

  #cut(entries: Buffer, partitionId: number): BatchList {
    const row = this.directory.find(partitionId);
    return row === undefined ? new BatchList() : entriesOf(entries, row);
  }
}

/** Entries of sealed segments' indexes, at most so many bytes; those used longest ago go first. */
export class IndexCache {
  readonly #limitBytes: number;
  readonly #loaded = new Map<SealedIndex, Buffer>();
  readonly #loading = new Map<SealedIndex, Promise<Buffer>>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  entries(index: SealedIndex, load: () => Promise<Buffer>): Buffer | Promise<Buffer> {
    const loaded = this.#loaded.get(index);
    if (loaded !== undefined) {
      this.#loaded.delete(index);
      this.#loaded.set(index, loaded);
      return loaded;
    }
    const underWay = this.#loading.get(index);
    if (underWay !== undefined) return underWay;
    const loading = load()
      .then((bytes) => {
        this.put(index, bytes);
        return bytes;
      })
      .finally(() => this.#loading.delete(index));
    this.#loading.set(index, loading);
    return loading;
  }

  put(index: SealedIndex, bytes: Buffer): void {
    this.forget(index);
    this.#loaded.set(index, bytes);
    this.#bytes += bytes.length;
    for (const oldest of this.#loaded.keys()) {
      if (this.#bytes <= this.#limitBytes || oldest === index) return;
      this.forget(oldest);
    }
  }

  forget(index: SealedIndex): void {
    this.#bytes -= this.#loaded.get(index)?.length ?? 0;
    this.#loaded.delete(index);
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
