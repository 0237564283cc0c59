import { type ProcessorOptions, runProcessor, type StreamClient } from '@tickfold/stream';
import { readRange } from '../src/index.ts';

export const PARTITIONS = 3;
export const INPUT = 'market.input';
export const OUTPUTS = ['counted.counts', 'counted.tenths'];
export const DEAD_LETTER = 'counted.dead-letter';
export const GROUP = 'counted.counter';

/** Values 0, 1, 2, … in each partition; every 97th is one that the handler refuses. */
export async function fillInput(client: StreamClient, from: number, to: number): Promise<void> {
  await client.admin.ensureTopics([{ name: INPUT, partitionCount: PARTITIONS }]);
  const producer = client.producer({ batchBytes: 3000 });
  for (let i = from; i < to; i++) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const value = Buffer.from(i % 97 === 96 ? `bad ${i}` : `${i}`);
      const headers = i % 2 === 0 ? { source: `file:${i}` } : {};
      const key = i % 5 === 0 ? null : `k${i % 5}`;
      await producer.send({ topic: INPUT, partition, key, value, timestampMs: 1_000_000 + i, headers });
    }
  }
  await producer.close();
}

interface Counter {
  handled: number;
}

const handle: ProcessorOptions<Counter>['handle'] = (state, record, emit) => {
  const value = Number(record.value);
  if (Number.isNaN(value)) throw new Error(`'${record.value}' is no number`);
  state.handled++;
  const { key, timestampMs } = record;
  const output = { key, value: Buffer.from(`${value}#${state.handled}`), timestampMs };
  emit({ ...output, topic: OUTPUTS[0]!, headers: { kind: 'count' } });
  if (value % 10 === 0) emit({ ...output, topic: OUTPUTS[1]! });
};

/** Counts until `until` input records were handled; all of them where it is left out. */
export async function count(client: StreamClient, until?: number): Promise<void> {
  const ends = (await client.admin.watermarks(INPUT)).map(({ high }) => high);
  const reached = ends.map(() => false);
  const stop = new AbortController();
  let handled = 0;
  await runProcessor<Counter>({
    client,
    group: GROUP,
    inputTopic: INPUT,
    outputTopics: OUTPUTS,
    deadLetterTopic: DEAD_LETTER,
    createState: () => ({ handled: 0 }),
    handle(state, record, emit) {
      handle(state, record, emit);
      if (++handled === until) stop.abort();
    },
    signal: stop.signal,
    onProgress({ partition, nextOffset }) {
      reached[partition] = nextOffset >= ends[partition]!;
      if (reached.every(Boolean)) stop.abort();
    },
  });
}

/** Everything that the content of a partition is, as text: key, value, headers, event time, in order; not its offsets. */
export async function contentOf(client: StreamClient, topic: string, partition: number): Promise<string[]> {
  const content: string[] = [];
  for await (const chunk of readRange(client, { topic, partition })) {
    for (const record of chunk.records()) {
      const hex = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex');
      const headers = record.headers().map(({ key, value }) => [key, hex(value)]);
      content.push(JSON.stringify([record.timestampMs, hex(record.key), hex(record.value), headers]));
    }
  }
  return content;
}

export async function contentOfOutputs(client: StreamClient): Promise<string[][]> {
  const contents: string[][] = [];
  for (const topic of [...OUTPUTS, DEAD_LETTER]) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      contents.push(await contentOf(client, topic, partition));
    }
  }
  return contents;
}
