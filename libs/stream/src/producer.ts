import { partitionOfKey, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { OutgoingRecord, Producer, ProducerOptions } from './api.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { Deferred } from './deferred.ts';
import { StreamError } from './errors.ts';

/** Requests on their way at once. A partition is in one of them at most: that keeps its records in order. */
const MAX_REQUESTS_IN_FLIGHT = 5;
/** Most bytes of one partition in one request: what waited during the last one goes out together. */
const MAX_ENTRY_BYTES = 2 * 1024 * 1024;
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;
/** Small batches of one partition that wait for its last request lie back to back in one buffer of about this size. */
const RUN_BYTES = 64 * 1024;
const FIRST_BUFFER_BYTES = 16 * 1024;
/** After the highest sequence comes 0. */
const MAX_SEQUENCE = 0x7fffffff;

/** Whole batches of one partition, back to back. */
interface Run {
  bytes: Buffer;
  /** Flushes that wait for it. */
  flushes: Flush[];
}

interface Flush {
  outstanding: number;
  done: Deferred;
}

/** What waits for one partition. */
interface Lane {
  topic: string;
  partition: number;
  /** Holds the open batch, and sealed ones before it. */
  builder: RecordBatchBuilder;
  /** Of its next batch, where the producer has an identity. */
  sequence: number;
  /** Sealed before those in the builder. */
  runs: Run[];
  inFlight: boolean;
  /** Its linger passed while a request was on its way: the open batch goes as soon as that one is answered. */
  overdue: boolean;
}

interface Route {
  lanes: Lane[];
  /** Where records without a key go until their batch is sealed. */
  keylessPartition: number;
}

/** Batches for one partition. */
export interface BatchEntry {
  topic: string;
  partition: number;
  /** Whole record batches that follow on one another. */
  batches: Buffer[];
}

/** Where a producer's batches go. */
export interface BatchSink {
  /**
   * Appends, in the order of calls. Resolves with the errors of the partitions that refused theirs. From then on the
   * batches' memory is used for others.
   * @param acks as in `ProducerOptions`
   * @throws StreamError where none of it, or nobody knows how much, was appended
   */
  append(entries: BatchEntry[], acks: -1 | 1): Promise<StreamError[]>;
  close(): void;
}

export interface ProducerLinks {
  sink: Promise<BatchSink>;
  /** @throws StreamError `unknown-topic` */
  partitionCount(topic: string): Promise<number>;
  /** Of a transactional producer: its batches are marked as its own, and counted. */
  identity?: ProducerIdentity;
  /** Of one whose batches may come again: they are counted, in no transaction. */
  idempotentAs?: Promise<ProducerIdentity>;
}

/** Who produces, as its batches say it. */
export interface ProducerIdentity {
  producerId: bigint;
  epoch: number;
}

/**
 * Packs records into one batch per partition and sends full or lingering batches of several partitions in one request.
 * After the first failure that its sink lets through, the producer is dead.
 */
export class BatchingProducer implements Producer {
  readonly #links: ProducerLinks;
  readonly #lingerMs: number;
  readonly #batchBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #acks: -1 | 1;

  readonly #routes = new Map<string, Route>();
  /** Records whose topic's partitions are being asked for. */
  readonly #unrouted = new Map<string, { records: OutgoingRecord[]; routed: Promise<void> }>();
  readonly #openLanes = new Set<Lane>();
  readonly #readyLanes = new Set<Lane>();
  /** Their builders hold sealed batches. */
  readonly #unshippedLanes = new Set<Lane>();
  readonly #unacknowledged = new Set<Run>();
  readonly #buffers = new BatchBuffers();
  #bufferedBytes = 0;
  #requestsInFlight = 0;
  #sink: BatchSink | undefined;
  /** Ends the wait for more records. */
  #stopLingering: (() => void) | undefined;
  #room: Deferred | undefined;
  #identity: ProducerIdentity | undefined;
  /** Nothing is sealed while this waits. */
  #hold: Deferred | undefined;
  /** A batch is full that may not be sealed yet. */
  #isOverfull = false;
  /** Taken since then: more would make that batch larger than a broker takes. */
  #deferred: { route: Route; record: OutgoingRecord }[] = [];
  #hasSentSinceHold = false;
  #failure: StreamError | undefined;

  constructor(links: ProducerLinks, options: ProducerOptions = {}) {
    this.#links = links;
    this.#lingerMs = options.lingerMs ?? 5;
    this.#batchBytes = options.batchBytes ?? 256 * 1024;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 8 * 1024 * 1024;
    this.#acks = options.acks ?? -1;
    this.#identity = links.identity;
    if (links.idempotentAs !== undefined) this.#holdUntil(links.idempotentAs);
    links.sink.then(
      (sink) => {
        this.#sink = sink;
        if (this.#failure !== undefined) sink.close();
        else this.#sendReady();
      },
      (error) => this.#fail(error),
    );
  }

  send(record: OutgoingRecord): Promise<void> | undefined {
    if (this.#failure !== undefined) return quiet(Promise.reject(this.#failure));
    const route = this.#routes.get(record.topic);
    if (route === undefined) return this.#sendOnceRouted(record);
    this.#append(route, record);
    if (this.#hasRoom) return undefined;
    this.#room ??= new Deferred();
    return this.#room.promise;
  }

  async flush(): Promise<void> {
    // Asked again after each wait, in one turn with what follows: another caller may have been quicker.
    while (this.#mustWaitToSeal) await this.#beforeSealing();
    await this.#sealAndSend();
  }

  /**
   * Between two parts of the stream: sends what was taken so far, and when all of it is acknowledged does the work. What is
   * taken meanwhile waits, and goes out as whom the work gives.
   * @param work is told whether anything was sent since the last time
   * @throws StreamError; the producer is dead then
   */
  async between(work: (identity: ProducerIdentity, hasSent: boolean) => Promise<ProducerIdentity>): Promise<void> {
    while (this.#mustWaitToSeal) await this.#beforeSealing();
    const sent = this.#sealAndSend();
    const hold = new Deferred();
    this.#hold = hold;
    try {
      await sent;
      this.#continueAs(await work(this.#identity!, this.#hasSentSinceHold));
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#hold = undefined;
      hold.resolve();
    }
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#fail(new StreamError('closed', 'this producer was closed'));
    }
  }

  /** Nothing can be counted before it is known as whom. */
  #holdUntil(identity: Promise<ProducerIdentity>): void {
    const hold = new Deferred();
    this.#hold = hold;
    identity
      .then(
        (known) => this.#continueAs(known),
        (error) => this.#fail(error),
      )
      .finally(() => {
        this.#hold = undefined;
        hold.resolve();
      });
  }

  get #hasRoom(): boolean {
    return this.#bufferedBytes <= this.#maxBufferedBytes && !this.#isOverfull;
  }

  get #mustWaitToSeal(): boolean {
    return this.#unrouted.size > 0 || this.#hold !== undefined;
  }

  async #beforeSealing(): Promise<void> {
    await Promise.all([...this.#unrouted.values()].map(({ routed }) => routed));
    await this.#hold?.promise;
  }

  /** Resolves when all that was taken so far is acknowledged. */
  async #sealAndSend(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const lane of this.#openLanes) this.#seal(lane);
    for (const lane of this.#unshippedLanes) this.#endRun(lane);
    if (this.#unacknowledged.size === 0) return;
    const flush: Flush = { outstanding: this.#unacknowledged.size, done: new Deferred() };
    for (const run of this.#unacknowledged) run.flushes.push(flush);
    this.#sendReady();
    await flush.done.promise;
  }

  #continueAs(identity: ProducerIdentity): void {
    if (identity !== this.#identity)
      for (const { lanes } of this.#routes.values()) for (const lane of lanes) lane.sequence = 0;
    this.#identity = identity;
    this.#hasSentSinceHold = false;
    this.#isOverfull = false;
    this.#hold = undefined;
    for (const lane of this.#openLanes) if (lane.builder.sizeBytes >= this.#batchBytes) this.#seal(lane);
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { route, record } of deferred) this.#append(route, record);
    if (this.#openLanes.size > 0) this.#stopLingering ??= lingering(this.#onLinger, this.#lingerMs);
    this.#giveRoom();
    this.#sendReady();
  }

  #giveRoom(): void {
    if (this.#room === undefined || !this.#hasRoom) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  #sendOnceRouted(record: OutgoingRecord): Promise<void> {
    const { topic } = record;
    const known = this.#unrouted.get(topic);
    if (known !== undefined) {
      known.records.push(record);
      return known.routed;
    }
    const records = [record];
    const routed = quiet(this.#route(topic, records));
    this.#unrouted.set(topic, { records, routed });
    return routed;
  }

  async #route(topic: string, waiting: OutgoingRecord[]): Promise<void> {
    try {
      const route = newRoute(topic, await this.#links.partitionCount(topic), this.#buffers);
      if (this.#failure !== undefined) throw this.#failure;
      this.#routes.set(topic, route);
      for (const record of waiting) this.#append(route, record);
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#unrouted.delete(topic);
    }
  }

  #append(route: Route, record: OutgoingRecord): void {
    if (this.#isOverfull) {
      this.#deferred.push({ route, record });
      return;
    }
    const lane = route.lanes[record.partition ?? partitionFor(route, record.key)];
    if (lane === undefined || !Number.isSafeInteger(record.timestampMs)) throw this.#fail(badRecord(route, record));
    const { builder } = lane;
    let sizeBefore = builder.sizeBytes;
    if (builder.recordCount === 0) {
      sizeBefore = 0;
      this.#openLanes.add(lane);
      this.#stopLingering ??= lingering(this.#onLinger, this.#lingerMs);
    }
    builder.append(record.key, record.value, record.timestampMs, record.headers);
    this.#bufferedBytes += builder.sizeBytes - sizeBefore;
    if (builder.sizeBytes < this.#batchBytes) return;
    if (this.#hold !== undefined) {
      this.#isOverfull = true;
      return;
    }
    this.#seal(lane);
    if (record.key === null) route.keylessPartition = (route.keylessPartition + 1) % route.lanes.length;
    this.#sendReady();
  }

  readonly #onLinger = (): void => {
    this.#stopLingering = undefined;
    if (this.#hold !== undefined) return;
    for (const lane of this.#openLanes) {
      // While a request is on its way nothing is gained by closing a small batch: it may go on growing.
      if (lane.inFlight) lane.overdue = true;
      else this.#seal(lane);
    }
    this.#sendReady();
  };

  #seal(lane: Lane): void {
    this.#close(lane);
    this.#hasSentSinceHold = true;
    lane.overdue = false;
    this.#openLanes.delete(lane);
    this.#unshippedLanes.add(lane);
    if (lane.builder.closedBytes >= RUN_BYTES) this.#endRun(lane);
    if (!lane.inFlight) this.#readyLanes.add(lane);
  }

  #close(lane: Lane): void {
    const { builder, sequence: baseSequence } = lane;
    const identity = this.#identity;
    if (identity === undefined) {
      builder.close();
      return;
    }
    lane.sequence = (baseSequence + builder.recordCount) & MAX_SEQUENCE;
    const { producerId, epoch: producerEpoch } = identity;
    const isTransactional = this.#links.idempotentAs === undefined;
    builder.close({ producerId, producerEpoch, baseSequence, isTransactional });
  }

  #endRun(lane: Lane): void {
    const run = { bytes: lane.builder.take(), flushes: [] };
    lane.runs.push(run);
    this.#unshippedLanes.delete(lane);
    this.#unacknowledged.add(run);
  }

  #sendReady(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    while (this.#readyLanes.size > 0 && this.#requestsInFlight < MAX_REQUESTS_IN_FLIGHT) {
      const shipments = this.#takeReady();
      this.#requestsInFlight++;
      sink.append(shipments, this.#acks).then(
        (errors) => this.#acknowledge(shipments, errors),
        (error) => this.#fail(error),
      );
    }
  }

  /** Takes what goes into the next request, at least one batch. */
  #takeReady(): Shipment[] {
    const shipments: Shipment[] = [];
    let requestBytes = 0;
    for (const lane of this.#readyLanes) {
      if (requestBytes >= MAX_REQUEST_BYTES) break;
      if (this.#unshippedLanes.has(lane)) this.#endRun(lane);
      let entryBytes = 0;
      let count = 0;
      while (count < lane.runs.length && (count === 0 || entryBytes < MAX_ENTRY_BYTES)) {
        entryBytes += lane.runs[count++]!.bytes.length;
      }
      const taken = lane.runs.splice(0, count);
      lane.inFlight = true;
      this.#readyLanes.delete(lane);
      shipments.push({
        lane,
        taken,
        topic: lane.topic,
        partition: lane.partition,
        batches: taken.map((run) => run.bytes),
      });
      requestBytes += entryBytes;
    }
    return shipments;
  }

  #acknowledge(shipments: Shipment[], errors: StreamError[]): void {
    this.#requestsInFlight--;
    if (errors[0] !== undefined) {
      this.#fail(errors[0]);
      return;
    }
    for (const { lane, taken } of shipments) {
      for (const run of taken) {
        this.#bufferedBytes -= run.bytes.length;
        this.#unacknowledged.delete(run);
        this.#buffers.giveBack(run.bytes);
        for (const flush of run.flushes) if (--flush.outstanding === 0) flush.done.resolve();
      }
      lane.inFlight = false;
      if (lane.overdue && this.#hold === undefined) this.#seal(lane);
      else if (lane.runs.length > 0 || this.#unshippedLanes.has(lane)) this.#readyLanes.add(lane);
    }
    this.#giveRoom();
    this.#sendReady();
  }

  #fail(cause: unknown): StreamError {
    if (this.#failure !== undefined) return this.#failure;
    const error = cause instanceof StreamError ? cause : new StreamError('bad-record', String(cause), { cause });
    this.#failure = error;
    this.#stopLingering?.();
    this.#room?.reject(error);
    for (const run of this.#unacknowledged) for (const flush of run.flushes) flush.done.reject(error);
    this.#unacknowledged.clear();
    this.#openLanes.clear();
    this.#unshippedLanes.clear();
    this.#readyLanes.clear();
    this.#routes.clear();
    this.#sink?.close();
    return error;
  }
}

interface Shipment extends BatchEntry {
  lane: Lane;
  taken: Run[];
}

/**
 * A caller may let go of what `send` returns: the failure meets it again in `flush` and `close`, so it must not count as a
 * rejection that nobody handles.
 */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

/** @returns what stops it. A timer of no time would take a millisecond: then only what is sent in one turn goes together */
function lingering(onEnd: () => void, lingerMs: number): () => void {
  if (lingerMs <= 0) {
    const immediate = setImmediate(onEnd);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(onEnd, lingerMs);
  return () => clearTimeout(timer);
}

function newRoute(topic: string, partitionCount: number, buffers: BatchBuffers): Route {
  const lanes = Array.from({ length: partitionCount }, (_, partition) => ({
    topic,
    partition,
    builder: new RecordBatchBuilder(FIRST_BUFFER_BYTES, buffers),
    sequence: 0,
    runs: [],
    inFlight: false,
    overdue: false,
  }));
  return { lanes, keylessPartition: 0 };
}

function partitionFor(route: Route, key: Uint8Array | string | null): number {
  if (key === null) return route.keylessPartition;
  return partitionOfKey(typeof key === 'string' ? Buffer.from(key) : key, route.lanes.length);
}

function badRecord(route: Route, { topic, partition, timestampMs }: OutgoingRecord): StreamError {
  const what = Number.isSafeInteger(timestampMs)
    ? `partition ${partition} of '${topic}' does not exist: it has ${route.lanes.length}`
    : `timestampMs ${timestampMs} of a record for '${topic}' is not an integer`;
  return new StreamError('bad-record', what);
}
