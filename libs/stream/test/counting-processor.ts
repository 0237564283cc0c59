/** A processor that counts, what it is fed, and what must come of it. */
import { expect } from 'vitest';
import {
  connect,
  type ProcessorOptions,
  type ProcessorProgress,
  runProcessor,
  type StreamClient,
} from '../src/index.ts';

export const PARTITIONS = 3;
export const PER_PARTITION = 1500;

export interface Topics {
  input: string;
  /** Gets one record per input record. */
  counts: string;
  /** Gets a record for some input records only. */
  tenths: string;
  deadLetter: string;
}

export interface Counter {
  handled: number;
}

export type CounterOptions = ProcessorOptions<Counter>;

let volumeNumber = 0;

export function newTopics(): Topics {
  const volume = `volume-${++volumeNumber}`;
  return {
    input: `${volume}.input`,
    counts: `${volume}.counts`,
    tenths: `${volume}.tenths`,
    deadLetter: `${volume}.dead-letter`,
  };
}

export const groupOf = ({ input }: Topics) => `${input.split('.')[0]}.counter`;

export const connectTo = (address: string) => connect({ brokers: [address], clientId: 'test' });

export async function withClient<T>(address: string, work: (client: StreamClient) => Promise<T>): Promise<T> {
  const client = await connectTo(address);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Values 0, 1, 2, … in each partition; every 97th is one that the handler refuses. */
export async function fillInput(client: StreamClient, { input }: Topics, from = 0, to = PER_PARTITION): Promise<void> {
  await client.admin.ensureTopics([{ name: input, partitionCount: PARTITIONS }]);
  const producer = client.producer({ batchBytes: 3000 });
  for (let i = from; i < to; i++) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const value = Buffer.from(i % 97 === 96 ? `bad ${i}` : `${i}`);
      const headers = i % 2 === 0 ? { source: `file:${i}` } : {};
      await producer.send({ topic: input, partition, key: 'k', value, timestampMs: i, headers });
    }
  }
  await producer.flush();
  await producer.close();
}

/** Numbers each good record; the state must be right for the output to be right. */
export function handleWith(topics: Topics): CounterOptions['handle'] {
  return (state, record, emit) => {
    const value = Number(record.value);
    if (Number.isNaN(value)) throw new Error(`'${record.value}' is no number`);
    state.handled++;
    const { timestampMs } = record;
    const output = { key: 'k', value: Buffer.from(`${value}#${state.handled}`), timestampMs };
    emit({ ...output, topic: topics.counts, headers: { kind: 'count' } });
    if (value % 10 === 0) emit({ ...output, topic: topics.tenths });
  };
}

export function optionsFor(topics: Topics, client: StreamClient, signal: AbortSignal): CounterOptions {
  return {
    client,
    group: groupOf(topics),
    inputTopic: topics.input,
    outputTopics: [topics.counts, topics.tenths],
    deadLetterTopic: topics.deadLetter,
    createState: () => ({ handled: 0 }),
    handle: handleWith(topics),
    signal,
  };
}

/** Calls `done` when every partition was handled to the end of the input as it is now. */
export function untilEnd(end: bigint, done: () => void): (progress: ProcessorProgress) => void {
  const finished = new Set<number>();
  return ({ partition, nextOffset }) => {
    if (nextOffset >= end) finished.add(partition);
    if (finished.size === PARTITIONS) done();
  };
}

export async function runToEnd(address: string, topics: Topics, more: Partial<CounterOptions> = {}): Promise<void> {
  const stop = new AbortController();
  await withClient(address, async (client) => {
    const { high } = (await client.admin.watermarks(topics.input))[0]!;
    const onProgress = untilEnd(high, () => stop.abort());
    await runProcessor({ ...optionsFor(topics, client, stop.signal), onProgress, ...more });
  });
}

export async function contentOf(client: StreamClient, topic: string, partition: number) {
  const { high } = (await client.admin.watermarks(topic))[partition]!;
  const content: { value: string; input: number; headers: Record<string, string> }[] = [];
  if (high === 0n) return content;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
    for (const record of chunk.records()) {
      const headers = Object.fromEntries(record.headers().map(({ key, value }) => [key, String(value)]));
      content.push({ value: String(record.value), input: Number(headers.input), headers });
    }
    if (chunk.nextOffset >= high) break;
  }
  return content;
}

/** What the outputs hold when every input record was handled exactly once. */
export async function expectExactlyOnce(
  client: StreamClient,
  topics: Topics,
  perPartition = PER_PARTITION,
): Promise<void> {
  const inputs = Array.from({ length: perPartition }, (_, i) => i);
  const good = inputs.filter((i) => i % 97 !== 96);
  const numbered = good.map((i, index) => ({ value: `${i}#${index + 1}`, input: i }));
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const plain = async (topic: string) =>
      (await contentOf(client, topic, partition)).map(({ value, input }) => ({ value, input }));
    expect(await plain(topics.counts)).toEqual(numbered);
    expect(await plain(topics.tenths)).toEqual(numbered.filter(({ input }) => input % 10 === 0));
    expect(await plain(topics.deadLetter)).toEqual(
      inputs.filter((i) => i % 97 === 96).map((i) => ({ value: `bad ${i}`, input: i })),
    );
  }
}
