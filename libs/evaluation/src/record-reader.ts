import type { Consumer, RecordChunk, RecordView, StreamClient, Watermark } from '@tickfold/stream';

/** Eight of these are open at a time, each with one answer at work and one on its way. */
const FETCH_BYTES = 1024 * 1024;

/** Walks over the records that a partition held at a moment, one after the other; what is appended later is not seen. */
export class RecordReader {
  /** The current record; undefined before the first `advance`, and after the last record. */
  head: RecordView | undefined;
  readonly #consumer: Consumer | undefined;
  readonly #chunks: AsyncIterator<RecordChunk> | undefined;
  readonly #end: bigint;
  #records: Iterator<RecordView> = [].values();
  #nextOffset: bigint;

  constructor(client: StreamClient, topic: string, { partition, logStart, high }: Watermark) {
    this.#end = high;
    this.#nextOffset = logStart;
    if (logStart >= high) return;
    this.#consumer = client.consumer({
      assignments: [{ topic, partition, offset: logStart }],
      maxBytes: FETCH_BYTES,
    });
    this.#chunks = this.#consumer[Symbol.asyncIterator]();
  }

  /** Moves to the next record. There is something to await at the end of a chunk only. @throws StreamError */
  advance(): Promise<void> | undefined {
    const { done, value } = this.#records.next();
    if (done === true) return this.#advanceToChunk();
    this.head = value.offset < this.#end ? value : undefined;
    return undefined;
  }

  async close(): Promise<void> {
    await this.#consumer?.close();
  }

  async #advanceToChunk(): Promise<void> {
    this.head = undefined;
    while (this.#chunks !== undefined && this.#nextOffset < this.#end) {
      const { done, value: chunk } = await this.#chunks.next();
      if (done === true) return;
      this.#nextOffset = chunk.nextOffset;
      this.#records = chunk.records()[Symbol.iterator]();
      const first = this.#records.next();
      if (first.done === true) continue;
      this.head = first.value.offset < this.#end ? first.value : undefined;
      return;
    }
  }
}
