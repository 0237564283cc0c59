const CHUNK_BYTES = 256 * 1024;
const MAX_SPARE_CHUNKS = 4;

/** A stretch of a segment in memory. Bytes below `used` never change, so views over them stay valid. */
export interface Chunk {
  /** Position in the segment of the chunk's first byte. */
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
  /** Somebody may hold views of it, so its memory is the garbage collector's to free. */
  isLent: boolean;
}

/**
 * The end of a segment as it was appended: first waiting to be written, then kept for live readers until the cache
 * needs the room. Appends copy into it once; writes and readers take views.
 */
export class SegmentTail {
  readonly #cache: TailCache;
  #chunks: Chunk[] = [];
  /** Up to here bytes were taken to be written; what lies before `#writtenTo` is in the file. */
  #takenTo: number;
  #writtenTo: number;
  #end: number;

  /** @param start position in the segment from which on bytes are appended */
  constructor(cache: TailCache, start: number) {
    this.#cache = cache;
    this.#takenTo = start;
    this.#writtenTo = start;
    this.#end = start;
  }

  get end(): number {
    return this.#end;
  }

  /** Room for `sizeBytes` bytes in one piece; they lie at `at` of `bytes` and at `end` of the segment. */
  reserve(sizeBytes: number): { bytes: Buffer; at: number } {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.bytes.length - chunk.used < sizeBytes) {
      chunk = { start: this.#end, bytes: this.#cache.takeMemory(sizeBytes), used: 0, isLent: false };
      this.#chunks.push(chunk);
      this.#cache.add(this, chunk);
    }
    const at = chunk.used;
    chunk.used += sizeBytes;
    this.#end += sizeBytes;
    return { bytes: chunk.bytes, at };
  }

  /** Everything that was reserved but not taken yet, to be written at `position`. */
  takeUnwritten(): { buffers: Buffer[]; position: number } {
    const position = this.#takenTo;
    const buffers: Buffer[] = [];
    for (const chunk of this.#chunks) {
      const from = Math.max(position - chunk.start, 0);
      if (from < chunk.used) buffers.push(chunk.bytes.subarray(from, chunk.used));
    }
    this.#takenTo = this.#end;
    return { buffers, position };
  }

  /** The file has everything before that position. */
  markWritten(position: number): void {
    this.#writtenTo = position;
  }

  /** No more will be written, though a write may still be under way. */
  giveUp(): void {
    for (const chunk of this.#chunks) chunk.isLent = true;
    this.#takenTo = this.#end;
    this.#writtenTo = this.#end;
  }

  /** A view of that range, or undefined when it is not in memory. */
  find(position: number, sizeBytes: number): Buffer | undefined {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]!;
      if (position < chunk.start) continue;
      const at = position - chunk.start;
      if (at + sizeBytes > chunk.used) return undefined;
      chunk.isLent = true;
      return chunk.bytes.subarray(at, at + sizeBytes);
    }
    return undefined;
  }

  /** Forgets its oldest chunk if the file has all of it. */
  dropOldest(): boolean {
    const oldest = this.#chunks[0];
    if (oldest === undefined || oldest.start + oldest.used > this.#writtenTo) return false;
    this.#chunks.shift();
    return true;
  }
}

/** Bounds what the tails of all segments keep in memory; the oldest chunks go first. */
export class TailCache {
  readonly #limitBytes: number;
  #queue: { tail: SegmentTail; chunk: Chunk }[] = [];
  #bytes = 0;
  /** Memory of forgotten chunks that no reader saw. Taking new memory all the time would keep the collector busy. */
  #spare: Buffer[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Memory for a chunk, of any content. */
  takeMemory(sizeBytes: number): Buffer {
    if (sizeBytes > CHUNK_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  add(tail: SegmentTail, chunk: Chunk): void {
    this.#queue.push({ tail, chunk });
    this.#bytes += chunk.bytes.length;
    while (this.#bytes > this.#limitBytes && this.#queue.length > 1) {
      const { tail: oldest, chunk: dropped } = this.#queue[0]!;
      if (!oldest.dropOldest()) return;
      this.#queue.shift();
      this.#bytes -= dropped.bytes.length;
      if (!dropped.isLent && dropped.bytes.length === CHUNK_BYTES && this.#spare.length < MAX_SPARE_CHUNKS) {
        this.#spare.push(dropped.bytes);
      }
    }
  }

  /** Forgets a segment that is no more. */
  forget(tail: SegmentTail): void {
    this.#queue = this.#queue.filter((entry) => {
      if (entry.tail === tail) this.#bytes -= entry.chunk.bytes.length;
      return entry.tail !== tail;
    });
  }
}
