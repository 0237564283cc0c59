import { apis, EARLIEST_TIMESTAMP, errorCodes, iterateBatches } from '@tickfold/kafka-protocol';
import { RawClient } from '../raw-client.ts';
import { batchOf } from './some-batches.ts';
import { mustHold } from './violation.ts';

/** No frame of the torture names it. */
const TOPIC = 'witness.kept-for-ever';
/** Far more than an answer takes, on a busy machine too. */
const ANSWER_MS = 30_000;
const FETCH_BYTES = 4 * 1024 * 1024;

/** A client in its right mind beside all the others: it is answered in time, and finds again what was acknowledged. */
export class Witness {
  /** Values that were acknowledged, by offset. */
  readonly #acknowledged: string[] = [];
  #client: RawClient | undefined;
  slowestMs = 0;

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  async connect(port: number): Promise<void> {
    this.#client?.close();
    this.#client = await RawClient.connect(port);
    const topic = { name: TOPIC, partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] };
    await this.#inTime(
      this.#client.call(apis.createTopics, 2, { topics: [topic], timeoutMs: 1_000, validateOnly: false }),
    );
  }

  close(): void {
    this.#client?.close();
  }

  /** Produces a record, waits until it is durable. @throws Violation where that takes too long or fails */
  async produce(): Promise<void> {
    const value = `value ${this.#acknowledged.length}`;
    const partition = { index: 0, records: [batchOf('witness', value)] };
    const { topics } = (await this.#inTime(
      this.#client!.call(apis.produce, 7, {
        transactionalId: null,
        acks: -1,
        timeoutMs: ANSWER_MS,
        topics: [{ name: TOPIC, partitions: [partition] }],
      }),
    ))!;
    const { errorCode, baseOffset } = topics[0]!.partitions[0]!;
    mustHold(errorCode === errorCodes.NONE, 'refused', () => `error ${errorCode} for a sound batch`);
    const expected = this.#acknowledged.length;
    mustHold(Number(baseOffset) === expected, 'reordered', () => `offset ${baseOffset} instead of ${expected}`);
    this.#acknowledged.push(value);
  }

  /** @throws Violation where something that was acknowledged is not there */
  async findEverything(): Promise<void> {
    let offset = 0;
    while (offset < this.#acknowledged.length) {
      const values = await this.#valuesFrom(offset);
      mustHold(values.length > 0, 'lost', () => `${TOPIC} ends at ${offset} of ${this.#acknowledged.length}`);
      for (const value of values) {
        const expected = this.#acknowledged[offset];
        mustHold(value === expected, 'diverged', () => `${value} at ${offset} instead of ${expected}`);
        offset++;
      }
    }
  }

  async #valuesFrom(offset: number): Promise<(string | undefined)[]> {
    const answer = (await this.#inTime(
      this.#client!.call(apis.fetch, 4, {
        replicaId: -1,
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: FETCH_BYTES,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            name: TOPIC,
            partitions: [
              {
                index: 0,
                currentLeaderEpoch: -1,
                fetchOffset: BigInt(offset),
                lastFetchedEpoch: -1,
                logStartOffset: EARLIEST_TIMESTAMP,
                partitionMaxBytes: FETCH_BYTES,
              },
            ],
          },
        ],
        forgottenTopics: [],
        rackId: '',
      }),
    ))!;
    const { records } = answer.topics[0]!.partitions[0]!;
    return records
      .flatMap((chunk) => [...iterateBatches(chunk)])
      .flatMap((batch) => [...batch.records()])
      .filter((record) => Number(record.offset) >= offset)
      .map((record) => record.value?.toString());
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      return mustHold(false, 'starved', () => String(error)) as never;
    } finally {
      clearTimeout(timer);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAtMs);
    }
  }
}
