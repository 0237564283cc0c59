import { partitionOfKey } from '@tickfold/kafka-protocol';
import type { Message } from 'kafkajs';
import type { OutgoingRecord, Producer, ProducerOptions } from '../api.ts';
import { Deferred } from '../deferred.ts';
import { StreamError } from '../errors.ts';

/** What makes one record batch. */
export interface MessageBatch {
  topic: string;
  partition: number;
  messages: Message[];
}

/** Where messages go. */
export interface MessageSink {
  /** @throws StreamError `unknown-topic` */
  partitionCount(topic: string): Promise<number>;
  /** Resolves when all of them, at most one of a partition, are acknowledged. @throws StreamError */
  deliver(batches: MessageBatch[]): Promise<void>;
  close(): Promise<void>;
}

interface Lane {
  topic: string;
  partition: number;
  waiting: Waiting[];
  waitingBytes: number;
  /** Messages that were ever taken, and those of them that are acknowledged. */
  taken: number;
  acknowledged: number;
  flushes: { upTo: number; flush: Flush }[];
  inFlight: boolean;
  due: boolean;
}

interface Waiting {
  message: Message;
  bytes: number;
  /** Which `between` it lies behind. */
  section: number;
}

interface Flush {
  outstanding: number;
  done: Deferred;
}

const RECORD_OVERHEAD_BYTES = 70;
/** Kafka's default limit of a batch is 1 MiB and a little; kafkajs makes one batch of what it is given at once. */
const MAX_BATCH_BYTES = 900 * 1024;
/** Deliveries on their way at once. */
const MAX_IN_FLIGHT = 5;
const MAX_DELIVERY_BYTES = 4 * 1024 * 1024;

/** Collects messages by partition and hands them on. A partition has one batch on its way: that keeps its order. */
export class MessageLanes implements Producer {
  readonly #sink: MessageSink;
  readonly #lingerMs: number;
  readonly #batchBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #routes = new Map<string, Lane[] | Promise<void>>();
  readonly #unrouted = new Map<string, { record: OutgoingRecord; section: number }[]>();
  readonly #keylessPartition = new Map<string, number>();
  readonly #busy = new Set<Lane>();
  #bufferedBytes = 0;
  #inFlight = 0;
  #linger: NodeJS.Timeout | undefined;
  #room: Deferred | undefined;
  #failure: StreamError | undefined;
  readonly #closed = new Deferred();
  /** Of what is sent now. */
  #section = 0;
  /** The last one that may be delivered. */
  #openSection = 0;
  #lastBetween: Promise<void> | undefined;

  constructor(sink: MessageSink, options: ProducerOptions = {}) {
    this.#sink = sink;
    this.#lingerMs = options.lingerMs ?? 5;
    this.#batchBytes = Math.min(options.batchBytes ?? 256 * 1024, MAX_BATCH_BYTES);
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 8 * 1024 * 1024;
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    if (this.#failure !== undefined) return quiet(Promise.reject(this.#failure));
    const route = this.#routes.get(record.topic);
    if (Array.isArray(route)) this.#append(route, record, this.#section);
    else {
      const routed = route ?? this.#route(record.topic);
      this.#unrouted.get(record.topic)!.push({ record, section: this.#section });
      return routed;
    }
    if (this.#bufferedBytes <= this.#maxBufferedBytes) return undefined;
    this.#room ??= new Deferred();
    return this.#room.promise;
  }

  flush(): Promise<void> {
    return this.#flushUpTo(this.#section);
  }

  /**
   * Does something behind all that was sent so far and before all that is sent from now on. Where another one is under
   * way, this one waits, and what is sent until then comes before it. When it fails, so does everything after it.
   */
  between(work: () => Promise<void>): Promise<void> {
    const before = this.#lastBetween;
    const done = quiet(before === undefined ? this.#between(work) : before.then(() => this.#between(work)));
    this.#lastBetween = done;
    const forget = () => {
      if (this.#lastBetween === done) this.#lastBetween = undefined;
    };
    done.then(forget, forget);
    return done;
  }

  async #between(work: () => Promise<void>): Promise<void> {
    const section = this.#section++;
    try {
      await this.#flushUpTo(section);
      await work();
    } catch (error) {
      throw this.fail(error as StreamError);
    }
    this.#openSection++;
    this.#deliverDue();
  }

  async #flushUpTo(section: number): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const routing = [...this.#routes.values()].filter((route) => !Array.isArray(route));
      if (routing.length === 0) break;
      await Promise.all(routing);
    }
    const flush = { outstanding: 0, done: new Deferred() };
    for (const lane of this.#busy) {
      const upTo = lane.taken - lane.waiting.filter((waiting) => waiting.section > section).length;
      if (upTo <= lane.acknowledged) continue;
      lane.due = true;
      lane.flushes.push({ upTo, flush });
      flush.outstanding++;
    }
    if (flush.outstanding === 0) return;
    this.#deliverDue();
    await flush.done.promise;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.fail(new StreamError('closed', 'this producer was closed'));
    }
  }

  /** Resolves when nothing is taken any more. */
  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Nobody waits for what is on its way. */
  cutOff(): void {
    this.fail(new StreamError('closed', 'this client was closed'));
  }

  /** Nothing is taken or delivered any more. The first reason is the one that everybody is told. */
  fail(error: StreamError): StreamError {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = error;
    this.#closed.resolve();
    void this.#sink.close();
    clearTimeout(this.#linger);
    this.#room?.reject(error);
    for (const lane of this.#busy) for (const { flush } of lane.flushes) flush.done.reject(error);
    this.#busy.clear();
    this.#routes.clear();
    this.#unrouted.clear();
    return error;
  }

  #route(topic: string): Promise<void> {
    this.#unrouted.set(topic, []);
    const routed = quiet(
      this.#sink.partitionCount(topic).then(
        (count) => {
          if (this.#failure !== undefined) throw this.#failure;
          const lanes = Array.from({ length: count }, (_, partition) => newLane(topic, partition));
          const waiting = this.#unrouted.get(topic)!;
          this.#unrouted.delete(topic);
          this.#routes.set(topic, lanes);
          for (const { record, section } of waiting) this.#append(lanes, record, section);
        },
        (error: StreamError) => {
          throw this.fail(error);
        },
      ),
    );
    this.#routes.set(topic, routed);
    return routed;
  }

  #append(lanes: Lane[], record: OutgoingRecord, section: number): void {
    const lane = lanes[record.partition ?? this.#partitionFor(lanes, record)];
    if (lane === undefined || !Number.isSafeInteger(record.timestampMs)) throw this.fail(badRecord(lanes, record));
    const message = messageOf(record);
    const bytes = sizeOf(message);
    lane.waiting.push({ message, bytes, section });
    lane.taken++;
    lane.waitingBytes += bytes;
    this.#bufferedBytes += bytes;
    this.#busy.add(lane);
    if (lane.waitingBytes >= this.#batchBytes) {
      lane.due = true;
      if (record.key === null) this.#keylessPartition.set(lane.topic, (lane.partition + 1) % lanes.length);
      this.#deliverDue();
    } else {
      this.#linger ??= setTimeout(this.#onLinger, this.#lingerMs);
    }
  }

  readonly #onLinger = (): void => {
    this.#linger = undefined;
    for (const lane of this.#busy) lane.due = true;
    this.#deliverDue();
  };

  #deliverDue(): void {
    while (this.#inFlight < MAX_IN_FLIGHT) {
      const taken = this.#takeDue();
      if (taken.length === 0) return;
      void this.#deliver(taken);
    }
  }

  #takeDue(): Taken[] {
    const taken: Taken[] = [];
    let deliveryBytes = 0;
    for (const lane of this.#busy) {
      if (deliveryBytes >= MAX_DELIVERY_BYTES) break;
      if (!lane.due || lane.inFlight || lane.waiting[0]!.section > this.#openSection) continue;
      const { messages, bytes } = takeBatch(lane, this.#batchBytes, this.#openSection);
      taken.push({ lane, bytes, topic: lane.topic, partition: lane.partition, messages });
      deliveryBytes += bytes;
      lane.inFlight = true;
    }
    return taken;
  }

  async #deliver(taken: Taken[]): Promise<void> {
    this.#inFlight++;
    try {
      await this.#sink.deliver(taken);
    } catch (error) {
      this.fail(error as StreamError);
      return;
    }
    this.#inFlight--;
    if (this.#failure !== undefined) return;
    for (const { lane, bytes, messages } of taken) this.#acknowledge(lane, messages.length, bytes);
    if (this.#room !== undefined && this.#bufferedBytes <= this.#maxBufferedBytes) {
      this.#room.resolve();
      this.#room = undefined;
    }
    this.#deliverDue();
  }

  #acknowledge(lane: Lane, count: number, bytes: number): void {
    lane.inFlight = false;
    lane.acknowledged += count;
    this.#bufferedBytes -= bytes;
    if (lane.waiting.length === 0) {
      lane.due = false;
      this.#busy.delete(lane);
    }
    while (lane.flushes.length > 0 && lane.flushes[0]!.upTo <= lane.acknowledged) {
      const { flush } = lane.flushes.shift()!;
      if (--flush.outstanding === 0) flush.done.resolve();
    }
  }

  #partitionFor(lanes: Lane[], { topic, key }: OutgoingRecord): number {
    if (key === null) return this.#keylessPartition.get(topic) ?? 0;
    return partitionOfKey(typeof key === 'string' ? Buffer.from(key) : key, lanes.length);
  }
}

interface Taken extends MessageBatch {
  lane: Lane;
  bytes: number;
}

function newLane(topic: string, partition: number): Lane {
  const counts = { waitingBytes: 0, taken: 0, acknowledged: 0 };
  return { topic, partition, waiting: [], ...counts, flushes: [], inFlight: false, due: false };
}

/**
 * Takes what makes one batch, at least one message. kafkajs sorts the times of a batch as text to find its bounds: only
 * among times with equally many digits it finds the right ones.
 */
function takeBatch(lane: Lane, maxBytes: number, openSection: number): { messages: Message[]; bytes: number } {
  const { waiting } = lane;
  const digits = waiting[0]!.message.timestamp!.length;
  let count = 0;
  let bytes = 0;
  while (count < waiting.length && bytes < maxBytes) {
    const { message, bytes: size, section } = waiting[count]!;
    if (section > openSection) break;
    if (count > 0 && (bytes + size > MAX_BATCH_BYTES || message.timestamp!.length !== digits)) break;
    bytes += size;
    count++;
  }
  lane.waitingBytes -= bytes;
  return { messages: waiting.splice(0, count).map(({ message }) => message), bytes };
}

function messageOf({ key, value, timestampMs, headers }: OutgoingRecord): Message {
  return {
    key: asBuffer(key),
    value: asBuffer(value),
    timestamp: String(timestampMs),
    ...(headers !== undefined && { headers }),
  };
}

function asBuffer(bytes: Uint8Array | string | null): Buffer | null {
  if (bytes === null) return null;
  if (typeof bytes === 'string') return Buffer.from(bytes);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sizeOf({ key, value, headers }: Message): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + String(headers[name]).length;
  return bytes;
}

function badRecord(lanes: Lane[], { topic, partition, timestampMs }: OutgoingRecord): StreamError {
  const what = Number.isSafeInteger(timestampMs)
    ? `partition ${partition} of '${topic}' does not exist: it has ${lanes.length}`
    : `timestampMs ${timestampMs} of a record for '${topic}' is not an integer`;
  return new StreamError('bad-record', what);
}

/** Who lets go of what `send` returns meets the failure again in `flush` and `close`: it is not an unhandled rejection. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
