import { headers } from '@tickfold/market';
import type { RecordView, StreamClient, Watermark } from '@tickfold/stream';
import { EvaluationError } from './errors.ts';
import { RecordReader } from './record-reader.ts';

const BEYOND = 2n ** 63n;

/** Walks over what a processor wrote to one partition, for the inputs below an offset. */
export class OutputReader {
  head: RecordView | undefined;
  /** Offset of the tick that the current record was made from; beyond all offsets after the last one. */
  input = BEYOND;
  readonly #reader: RecordReader;
  readonly #toInput: bigint;

  constructor(client: StreamClient, topic: string, watermark: Watermark, toInput: bigint) {
    this.#reader = new RecordReader(client, topic, watermark);
    this.#toInput = toInput;
  }

  /** @throws EvaluationError `unreadable-output` where no processor wrote the record */
  advance(): Promise<void> | undefined {
    const wait = this.#reader.advance();
    if (wait !== undefined) return wait.then(() => this.#take());
    this.#take();
    return undefined;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #take(): void {
    const record = this.#reader.head;
    const input = record === undefined ? BEYOND : inputOf(record);
    const inRange = input < this.#toInput;
    this.head = inRange ? record : undefined;
    this.input = inRange ? input : BEYOND;
  }
}

function inputOf(record: RecordView): bigint {
  const text = record.header(headers.input);
  if (text !== undefined && /^\d{1,18}$/.test(text)) return BigInt(text);
  throw new EvaluationError(
    'unreadable-output',
    `Offset ${record.offset} of ${record.topic}, partition ${record.partition}, does not say which input it was made from` +
      (text === undefined ? '.' : `: its header ${headers.input} is ${JSON.stringify(text)}.`),
    'Only the process of a model writes to this topic: replay the model into a new volume, and compare that.',
  );
}

/** A topic of both sides; `handle` is called once for each input that one of them has a record for. */
export interface PairedTopic {
  a: OutputReader;
  b: OutputReader;
  handle(inputOffset: bigint, a: RecordView | undefined, b: RecordView | undefined): void;
}

export interface MergeOptions {
  /** Called now and then, with the records read since the last time; what it throws ends the merge. */
  onTurn(records: number): Promise<void>;
}

/** Steps between two turns: some milliseconds. */
const STEPS_PER_TURN = 2_000;

/**
 * Walks over several topics of both sides at once, in the order of their input; for one input, topic by topic as listed.
 * Holds one chunk of each.
 */
export async function mergeByInput(topics: readonly PairedTopic[], { onTurn }: MergeOptions): Promise<void> {
  const readers = topics.flatMap(({ a, b }) => [a, b]);
  try {
    for (const reader of readers) await reader.advance();
    let steps = 0;
    let records = 0;
    for (;;) {
      let input = BEYOND;
      for (const reader of readers) if (reader.input < input) input = reader.input;
      if (input === BEYOND) break;
      for (const { a, b, handle } of topics) {
        const fromA = a.input === input ? a.head : undefined;
        const fromB = b.input === input ? b.head : undefined;
        if (fromA === undefined && fromB === undefined) continue;
        handle(input, fromA, fromB);
        const waitA = fromA === undefined ? undefined : a.advance();
        if (waitA !== undefined) await waitA;
        const waitB = fromB === undefined ? undefined : b.advance();
        if (waitB !== undefined) await waitB;
        records += (fromA === undefined ? 0 : 1) + (fromB === undefined ? 0 : 1);
      }
      if (++steps % STEPS_PER_TURN === 0) {
        await onTurn(records);
        records = 0;
      }
    }
    await onTurn(records);
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}
