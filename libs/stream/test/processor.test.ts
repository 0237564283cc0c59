import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connect,
  type ProcessorOptions,
  type ProcessorProgress,
  runProcessor,
  runResumably,
  type StreamClient,
  StreamError,
} from '../src/index.ts';

const PARTITIONS = 3;
const PER_PARTITION = 1500;

interface Topics {
  input: string;
  /** Gets one record per input record. */
  counts: string;
  /** Gets a record for some input records only. */
  tenths: string;
  deadLetter: string;
}

interface Counter {
  handled: number;
}

type CounterOptions = ProcessorOptions<Counter>;

let broker: EmbeddedBroker;
let volumeNumber = 0;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());

function newTopics(): Topics {
  const volume = `volume-${++volumeNumber}`;
  return {
    input: `${volume}.input`,
    counts: `${volume}.counts`,
    tenths: `${volume}.tenths`,
    deadLetter: `${volume}.dead-letter`,
  };
}

const groupOf = ({ input }: Topics) => `${input.split('.')[0]}.counter`;

const connectTo = (address: string) => connect({ brokers: [address], clientId: 'test' });

async function withClient<T>(address: string, work: (client: StreamClient) => Promise<T>): Promise<T> {
  const client = await connectTo(address);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Values 0, 1, 2, … in each partition; every 97th is one that the handler refuses. */
async function fillInput(client: StreamClient, { input }: Topics, from = 0, to = PER_PARTITION): Promise<void> {
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
function handleWith(topics: Topics): CounterOptions['handle'] {
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

function optionsFor(topics: Topics, client: StreamClient, signal: AbortSignal): CounterOptions {
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
function untilEnd(end: bigint, done: () => void): (progress: ProcessorProgress) => void {
  const finished = new Set<number>();
  return ({ partition, nextOffset }) => {
    if (nextOffset >= end) finished.add(partition);
    if (finished.size === PARTITIONS) done();
  };
}

async function runToEnd(address: string, topics: Topics, more: Partial<CounterOptions> = {}): Promise<void> {
  const stop = new AbortController();
  await withClient(address, async (client) => {
    const { high } = (await client.admin.watermarks(topics.input))[0]!;
    const onProgress = untilEnd(high, () => stop.abort());
    await runProcessor({ ...optionsFor(topics, client, stop.signal), onProgress, ...more });
  });
}

async function contentOf(client: StreamClient, topic: string, partition: number) {
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
async function expectExactlyOnce(client: StreamClient, topics: Topics, perPartition = PER_PARTITION): Promise<void> {
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

describe('a processor', () => {
  test('leaves each output once, in order, in the partition of its input', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics);
      await runToEnd(broker.address, topics);
      await expectExactlyOnce(client, topics);
    });
  });

  test('puts source, reason, app and input on a dead letter', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 200);
      await runToEnd(broker.address, topics);
      const letters = await contentOf(client, topics.deadLetter, 1);
      const app = groupOf(topics);
      expect(letters.map(({ headers }) => headers)).toEqual([
        { source: 'file:96', reason: "'bad 96' is no number", app, input: '96' },
        { source: `${topics.input}/1:193`, reason: "'bad 193' is no number", app, input: '193' },
      ]);
    });
  });

  test('commits how far it got, so that its lag is seen', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 100);
      await runToEnd(broker.address, topics);
      expect(await client.admin.committedOffsets(groupOf(topics), topics.input)).toEqual(
        new Map([
          [0, 100n],
          [1, 100n],
          [2, 100n],
        ]),
      );
    });
  });

  test('waits for an input topic that is made later', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      const stop = new AbortController();
      const onProgress = untilEnd(10n, () => stop.abort());
      const running = runProcessor({ ...optionsFor(topics, client, stop.signal), onProgress });
      await fillInput(client, topics, 0, 10);
      await running;
      await expectExactlyOnce(client, topics, 10);
    });
  });

  test('goes on where the last run ended in good order', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      for (let to = 100; to <= 500; to += 100) {
        await fillInput(client, topics, to - 100, to);
        await runToEnd(broker.address, topics);
      }
      await expectExactlyOnce(client, topics, 500);
    });
  });

  test('shuts out a run of the same group that still lives, and nothing counts twice', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics);
      const first = runProcessor({ ...optionsFor(topics, client, new AbortController().signal), commitEveryMs: 1 });
      const fenced = expect(first).rejects.toMatchObject({ code: 'fenced' });
      await fillInput(client, topics, PER_PARTITION, PER_PARTITION + 100);
      await runToEnd(broker.address, topics);
      // A run that has nothing to do does not notice: this gives it something.
      await fillInput(client, topics, PER_PARTITION + 100, PER_PARTITION + 200);
      await fenced;
      await runToEnd(broker.address, topics);
      await expectExactlyOnce(client, topics, PER_PARTITION + 200);
    });
  });

  test('folds only what its kept state lacks, and comes to the same output', async () => {
    const topics = newTopics();
    const checkpoint: NonNullable<CounterOptions['checkpoint']> = {
      everyRecords: 400,
      serialize: ({ handled }) => Buffer.from(String(handled)),
      deserialize: (bytes) => ({ handled: Number(Buffer.from(bytes)) }),
    };
    await withClient(broker.address, async (client) => {
      let seen = 0;
      const onProgress = ({ handled }: ProcessorProgress): void => {
        seen += handled;
      };
      for (let to = 500; to <= PER_PARTITION; to += 500) {
        await fillInput(client, topics, to - 500, to);
        const stop = new AbortController();
        const whenDone = untilEnd(BigInt(to), () => stop.abort());
        await runProcessor({
          ...optionsFor(topics, client, stop.signal),
          checkpoint,
          commitEveryMs: 1,
          onProgress(progress) {
            onProgress(progress);
            whenDone(progress);
          },
        });
      }
      await expectExactlyOnce(client, topics);
      expect(seen).toBeLessThan(PARTITIONS * (500 + 1000 + 1500));
    });
  });

  test('resumes its dead letters also where another app wrote the last one', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 200);
      await runToEnd(broker.address, topics);
      const producer = client.producer();
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const headers = { app: 'volume.other', input: '3' };
        await producer.send({ topic: topics.deadLetter, partition, key: null, value: null, timestampMs: 0, headers });
      }
      await producer.flush();
      await runToEnd(broker.address, topics);
      const letters = await contentOf(client, topics.deadLetter, 0);
      expect(letters.map(({ headers }) => `${headers.app}:${headers.input}`)).toEqual([
        expect.stringMatching(/counter:96$/),
        expect.stringMatching(/counter:193$/),
        'volume.other:3',
      ]);
    });
  });
});

describe('a processor that dies anywhere', () => {
  test('leaves each output once when it is run again, whether it was stopped or cut off', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics);
      const handle = handleWith(topics);
      const end = PARTITIONS * PER_PARTITION;
      for (let run = 1; run <= 12; run++) {
        const doomed = await connectTo(broker.address);
        const stop = new AbortController();
        const diesAt = Math.floor((end * run) / 13);
        let handled = 0;
        const dying = runProcessor({
          ...optionsFor(topics, doomed, stop.signal),
          handle(state, record, emit) {
            handle(state, record, emit);
            if (++handled !== diesAt) return;
            if (run % 3 === 0) stop.abort();
            else doomed.close();
          },
        });
        if (run % 3 === 0) await dying;
        else await expect(dying).rejects.toBeInstanceOf(StreamError);
        await doomed.close();
      }
      await runToEnd(broker.address, topics);
      await expectExactlyOnce(client, topics);
    });
  });

  test('goes on by itself when the broker is stopped and started again under it', async () => {
    const topics = newTopics();
    const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-processor-'));
    let current = await startEmbeddedBroker({ dataDir });
    const { address, port } = current;
    const restart = async () => {
      await current.stop();
      current = await startEmbeddedBroker({ dataDir, port });
    };
    try {
      await withClient(address, (client) => fillInput(client, topics));
      const stop = new AbortController();
      const interruptions: string[] = [];
      let restarting: Promise<void> | undefined;
      let handled = 0;
      const handle = handleWith(topics);
      const onProgress = untilEnd(BigInt(PER_PARTITION), () => {
        if (interruptions.length > 0) stop.abort();
      });
      await runResumably({
        signal: stop.signal,
        minBackoffMs: 10,
        onInterrupted: (error) => interruptions.push(error.code),
        run: () =>
          withClient(address, (client) =>
            runProcessor({
              ...optionsFor(topics, client, stop.signal),
              onProgress,
              handle(state, record, emit) {
                handle(state, record, emit);
                if (++handled === 700) restarting = restart();
              },
            }),
          ),
      });
      await restarting;
      expect(interruptions.length).toBeGreaterThan(0);
      await withClient(address, (client) => expectExactlyOnce(client, topics));
    } finally {
      await current.stop();
      await rm(dataDir, { recursive: true });
    }
  });
});

describe('a processor refuses', () => {
  test('an input that ends before what it has handled', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 5);
      await client.admin.commitOffsets(groupOf(topics), topics.input, new Map([[1, 6n]]));
      await expect(runToEnd(broker.address, topics)).rejects.toMatchObject({
        code: 'output-ahead',
        message: `group '${groupOf(topics)}' has handled '${topics.input}' partition 1 up to offset 6, but it ends before 5`,
      });
    });
  });

  test('to write to another volume than that of its group', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      const outputTopics = [topics.counts, 'elsewhere.counts'];
      await expect(
        runProcessor({ ...optionsFor(topics, client, AbortSignal.timeout(10_000)), outputTopics }),
      ).rejects.toMatchObject({ code: 'handler-contract', message: expect.stringContaining("'elsewhere.counts'") });
    });
  });

  test.each([
    ['twice to one topic', 'counts', 'twice'],
    ['to a topic that it did not name', 'input', 'not among the output topics'],
  ] as const)('a handler that emits %s', async (_, second, reason) => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 5);
      const output = { key: null, value: Buffer.from('v'), timestampMs: 0 };
      const handle: CounterOptions['handle'] = (_state, _record, emit) => {
        emit({ ...output, topic: topics.counts });
        emit({ ...output, topic: topics[second] });
      };
      await expect(runToEnd(broker.address, topics, { handle })).rejects.toMatchObject({
        code: 'handler-contract',
        message: expect.stringContaining(reason),
      });
    });
  });
});

test('other work of the process gets its turn while a long chunk is folded', async () => {
  const topics = newTopics();
  await withClient(broker.address, async (client) => {
    await fillInput(client, topics);
    let turns = 0;
    const count = () => {
      turns++;
      ticking = setImmediate(count);
    };
    let ticking = setImmediate(count);
    let turnsAtFirst: number | undefined;
    let turnsInFirstChunk = 0;
    await runToEnd(broker.address, topics, {
      handle(_state, record) {
        if (record.partition !== 0) return;
        turnsAtFirst ??= turns;
        turnsInFirstChunk = turns - turnsAtFirst;
      },
    });
    clearImmediate(ticking);
    expect(turnsInFirstChunk).toBeGreaterThanOrEqual(2);
  });
});
