import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProcessorCommit, type ProcessorProgress, runProcessor, runResumably, StreamError } from '../src/index.ts';
import {
  type CounterOptions,
  connectTo,
  contentOf,
  expectExactlyOnce,
  fillInput,
  groupOf,
  handleWith,
  newTopics,
  optionsFor,
  PARTITIONS,
  PER_PARTITION,
  runToEnd,
  untilEnd,
  withClient,
} from './counting-processor.ts';

let broker: EmbeddedBroker;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());

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

  test('passes the trace context of an input record on to its outputs and its dead letter', async () => {
    const topics = newTopics();
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' };
    await withClient(broker.address, async (client) => {
      await client.admin.ensureTopics([{ name: topics.input, partitionCount: PARTITIONS }]);
      const producer = client.producer();
      const record = { topic: topics.input, key: 'k', timestampMs: 0 };
      for (let partition = 0; partition < PARTITIONS; partition++) {
        producer.send({ ...record, partition, value: Buffer.from('1'), headers: trace });
        producer.send({ ...record, partition, value: Buffer.from('bad'), headers: { traceparent: trace.traceparent } });
        producer.send({ ...record, partition, value: Buffer.from('2') });
      }
      await producer.close();
      await runToEnd(broker.address, topics);
      const traces = async (topic: string) =>
        (await contentOf(client, topic, 1)).map(({ headers: { traceparent, tracestate } }) => [
          traceparent,
          tracestate,
        ]);
      expect(await traces(topics.counts)).toEqual([
        [trace.traceparent, trace.tracestate],
        [undefined, undefined],
      ]);
      expect(await traces(topics.deadLetter)).toEqual([[trace.traceparent, undefined]]);
    });
  });

  test('tells of each commit how long its records waited, the commit itself included', async () => {
    const topics = newTopics();
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 100);
      const commits: ProcessorCommit[] = [];
      const stop = new AbortController();
      const onCommit = (commit: ProcessorCommit): void => {
        commits.push(commit);
        stop.abort();
      };
      await runProcessor({ ...optionsFor(topics, client, stop.signal), onCommit });
      for (const { latencyMs, commitMs } of commits) {
        expect(commitMs).toBeGreaterThan(0);
        expect(latencyMs).toBeGreaterThanOrEqual(commitMs);
      }
      expect(commits.length).toBeGreaterThan(0);
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

  test('commits amid a chunk that takes its handler long, and goes on in it', async () => {
    const topics = newTopics();
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    const handle = handleWith(topics);
    const stop = new AbortController();
    const done = untilEnd(100n, () => stop.abort());
    const stops: bigint[] = [];
    await withClient(broker.address, async (client) => {
      await fillInput(client, topics, 0, 100);
      await runProcessor({
        ...optionsFor(topics, client, stop.signal),
        commitEveryMs: 1,
        handle(state, record, emit) {
          Atomics.wait(nothing, 0, 0, 1);
          handle(state, record, emit);
        },
        onProgress(progress) {
          stops.push(progress.nextOffset);
          done(progress);
        },
      });
      expect(stops.some((offset) => offset > 0n && offset < 100n)).toBe(true);
      await expectExactlyOnce(client, topics, 100);
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
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    let turnsAtFirst: number | undefined;
    let turnsInFirstChunk = 0;
    await runToEnd(broker.address, topics, {
      commitEveryMs: 60_000,
      handle(_state, record) {
        if (record.partition !== 0) return;
        if (turnsAtFirst === undefined || turns < turnsAtFirst + 2) Atomics.wait(nothing, 0, 0, 1);
        turnsAtFirst ??= turns;
        turnsInFirstChunk = turns - turnsAtFirst;
      },
    });
    clearImmediate(ticking);
    expect(turnsInFirstChunk).toBeGreaterThanOrEqual(2);
  });
});
