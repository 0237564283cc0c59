const CHUNK_BYTES = 256 * 1024;

/** A stretch of a segment in memory. Bytes below `used` never change, so views over them stay valid. */
export interface Chunk {
  /** Position in the segment of the chunk's first byte. */
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
}

/**
 * The end of a segment as it was appended: first waiting to be written, then kept for live readers until the cache
 * needs the room. Appends copy into it once; writes and readers take views.
 */
export class SegmentTail {
  readonly #cache: TailCache;
  #chunks: Chunk[] = [];
  #writtenTo: number;
  #end: number;

  /** @param start position in the segment from which on bytes are appended */
  constructor(cache: TailCache, start: number) {
    this.#cache = cache;
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
      chunk = { start: this.#end, bytes: Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, sizeBytes)), used: 0 };
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
    const position = this.#writtenTo;
    const buffers: Buffer[] = [];
    for (const chunk of this.#chunks) {
      const from = Math.max(position - chunk.start, 0);
      if (from < chunk.used) buffers.push(chunk.bytes.subarray(from, chunk.used));
    }
    this.#writtenTo = this.#end;
    return { buffers, position };
  }

  /** A view of that range, or undefined when it is not in memory. */
  find(position: number, sizeBytes: number): Buffer | undefined {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const { start, bytes, used } = this.#chunks[i]!;
      if (position < start) continue;
      const at = position - start;
      return at + sizeBytes <= used ? bytes.subarray(at, at + sizeBytes) : undefined;
    }
    return undefined;
  }

  /** Forgets its oldest chunk if all of it was taken for writing. */
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

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(tail: SegmentTail, chunk: Chunk): void {
    this.#queue.push({ tail, chunk });
    this.#bytes += chunk.bytes.length;
    while (this.#bytes > this.#limitBytes && this.#queue.length > 1) {
      const oldest = this.#queue[0]!;
      if (!oldest.tail.dropOldest()) return;
      this.#queue.shift();
      this.#bytes -= oldest.chunk.bytes.length;
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
