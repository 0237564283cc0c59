import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Isolation, RecordChunk, RecordHeader, RecordView } from '../api.ts';

/** A message as kafkajs decodes it; its types leave out what tells transactions apart. */
export type FetchedMessage = KafkaMessage & {
  isControlRecord?: boolean;
  batchContext?: { firstOffset: string; lastOffsetDelta: number; producerId: string; inTransaction: boolean };
};

/** One partition of kafkajs' answer to a fetch. */
export interface FetchedPartition {
  partition: number;
  highWatermark: string;
  lastStableOffset?: string;
  abortedTransactions?: { producerId: string; firstOffset: string }[];
  messages: FetchedMessage[];
}

/** What one fetch brought for one partition, without what readers must not see. */
export class KafkaChunk implements RecordChunk {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: bigint;
  readonly nextOffset: bigint;
  readonly fromOffset: bigint;
  readonly #records: KafkaRecord[];

  /** @param fromOffset records below it are skipped: a log gives whole batches */
  constructor(topic: string, fromOffset: bigint, fetched: FetchedPartition, isolation: Isolation) {
    this.topic = topic;
    this.partition = fetched.partition;
    this.fromOffset = fromOffset;
    this.highWatermark = readableEnd(fetched, isolation);
    this.#records = visible(fetched)
      .map((message) => new KafkaRecord(topic, fetched.partition, message))
      .filter(({ offset }) => offset >= fromOffset);
    this.nextOffset = offsetAfter(fetched.messages.at(-1)) ?? fromOffset;
  }

  records(): Iterable<RecordView> {
    return this.#records;
  }
}

/** After the last record that a reader may see. */
export function readableEnd({ highWatermark, lastStableOffset }: FetchedPartition, isolation: Isolation): bigint {
  return BigInt((isolation === 'committed' ? lastStableOffset : undefined) ?? highWatermark);
}

/** A batch may end later than its last record: compaction leaves its bounds. */
function offsetAfter(last: FetchedMessage | undefined): bigint | undefined {
  if (last === undefined) return undefined;
  const context = last.batchContext;
  const end =
    context === undefined ? BigInt(last.offset) : BigInt(context.firstOffset) + BigInt(context.lastOffsetDelta);
  return end + 1n;
}

const ABORT_MARK = 0;

/** Neither the marks that end transactions, nor what was aborted (the answer lists it only for committed reading). */
function visible({ messages, abortedTransactions = [] }: FetchedPartition): FetchedMessage[] {
  const starts = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  if (starts.length === 0) return messages.filter(({ isControlRecord }) => !isControlRecord);
  const aborting = new Set<string>();
  return messages.filter(({ offset, key, isControlRecord, batchContext }) => {
    while (starts.length > 0 && starts[0]!.firstOffset <= BigInt(offset)) aborting.add(starts.shift()!.producerId);
    const producerId = batchContext?.producerId ?? '';
    if (isControlRecord) {
      if (key?.readInt16BE(2) === ABORT_MARK) aborting.delete(producerId);
      return false;
    }
    return !(batchContext?.inTransaction && aborting.has(producerId));
  });
}

class KafkaRecord implements RecordView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly #headers: IHeaders;

  constructor(topic: string, partition: number, { offset, timestamp, key, value, headers }: FetchedMessage) {
    this.topic = topic;
    this.partition = partition;
    this.offset = BigInt(offset);
    this.timestampMs = Number(timestamp);
    this.key = key;
    this.value = value;
    this.#headers = headers ?? {};
  }

  header(name: string): string | undefined {
    if (!Object.hasOwn(this.#headers, name)) return undefined;
    const value = this.#headers[name];
    return String((Array.isArray(value) ? value[0] : value) ?? '');
  }

  headers(): RecordHeader[] {
    return Object.entries(this.#headers).flatMap(([key, values]) =>
      (Array.isArray(values) ? values : [values]).map((value) => ({ key, value: Buffer.from(value ?? '') })),
    );
  }
}
