import type { FeedItem } from './feed-source.ts';

/** Items of one stream that arrived together, with the time that each is merged by. */
export interface TimedBatch {
  timesMs: number[];
  items: FeedItem[];
}

interface Cursor {
  /** Decides between equal times. */
  rank: number;
  batches: AsyncIterator<TimedBatch>;
  batch: TimedBatch;
  next: number;
}

const CHUNK_ITEMS = 2048;

/**
 * Merges streams into one: by time, then by the streams' order, then by order within a stream. Gives each item its
 * position and leaves out those before `from`. Holds one batch of each stream.
 */
export async function* mergeByTime(
  streams: AsyncIterable<TimedBatch>[],
  from: number,
): AsyncGenerator<FeedItem[], void, undefined> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  try {
    const heap = new CursorHeap();
    for (const [rank, batches] of iterators.entries()) {
      const cursor: Cursor = { rank, batches, batch: { timesMs: [], items: [] }, next: 0 };
      if (await fetchBatch(cursor)) heap.push(cursor);
    }
    let position = 0;
    let chunk: FeedItem[] = [];
    while (heap.first !== undefined) {
      const cursor = heap.first;
      const item = cursor.batch.items[cursor.next++]!;
      if (position >= from) {
        item.position = position;
        chunk.push(item);
      }
      position++;
      if (cursor.next < cursor.batch.items.length || (await fetchBatch(cursor))) heap.settleFirst();
      else heap.removeFirst();
      if (chunk.length === CHUNK_ITEMS) {
        yield chunk;
        chunk = [];
      }
    }
    if (chunk.length > 0) yield chunk;
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}

async function fetchBatch(cursor: Cursor): Promise<boolean> {
  const result = await cursor.batches.next();
  if (result.done === true) return false;
  cursor.batch = result.value;
  cursor.next = 0;
  return true;
}

/** A binary heap whose first cursor has the earliest item. */
class CursorHeap {
  readonly #cursors: Cursor[] = [];

  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  push(cursor: Cursor): void {
    this.#cursors.push(cursor);
    for (let at = this.#cursors.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Restores the order after the first cursor has moved on. */
  settleFirst(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < this.#cursors.length && this.#isBefore(left, least)) least = left;
      if (right < this.#cursors.length && this.#isBefore(right, least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  removeFirst(): void {
    const last = this.#cursors.pop();
    if (last === undefined || this.#cursors.length === 0) return;
    this.#cursors[0] = last;
    this.settleFirst();
  }

  #isBefore(left: number, right: number): boolean {
    const a = this.#cursors[left]!;
    const b = this.#cursors[right]!;
    const difference = a.batch.timesMs[a.next]! - b.batch.timesMs[b.next]!;
    return difference < 0 || (difference === 0 && a.rank < b.rank);
  }

  #swap(left: number, right: number): void {
    const cursor = this.#cursors[left]!;
    this.#cursors[left] = this.#cursors[right]!;
    this.#cursors[right] = cursor;
  }
}
