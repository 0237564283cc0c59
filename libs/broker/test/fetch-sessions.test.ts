import { apis, errorCodes, iterateBatches, RecordBatchBuilder, type RequestOf } from '@tickfold/kafka-protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

const PARTITIONS = 3;
let running: TestBroker;
const clients: RawClient[] = [];

beforeEach(async () => {
  running = await startTestBroker();
});

afterEach(async () => {
  for (const each of clients.splice(0)) each.close();
  await running.close();
});

async function connected(): Promise<RawClient> {
  const made = await RawClient.connect(running.port);
  clients.push(made);
  return made;
}

async function makeTopic(client: RawClient, name: string): Promise<void> {
  const topic = { name, partitionCount: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] };
  await client.call(apis.createTopics, 4, { topics: [topic], timeoutMs: 1000, validateOnly: false });
}

async function produce(client: RawClient, index: number, value: string, topic = 't'): Promise<void> {
  const builder = new RecordBatchBuilder();
  builder.append(null, Buffer.from(value), 1000, {});
  const records = [builder.finish({ baseOffset: 0n })];
  const topics = [{ name: topic, partitions: [{ index, records }] }];
  await client.call(apis.produce, 8, { transactionalId: null, acks: -1, timeoutMs: 1000, topics });
}

interface Asked {
  sessionId?: number;
  epoch: number;
  /** By partition. */
  offsets?: Record<number, bigint>;
  forgotten?: number[];
  maxBytes?: number;
  maxWaitMs?: number;
  topic?: string;
}

function requestOf({
  sessionId = 0,
  epoch,
  offsets = {},
  forgotten = [],
  maxBytes = 1 << 20,
  maxWaitMs = 0,
  topic = 't',
}: Asked): RequestOf<typeof apis.fetch> {
  const partitions = Object.entries(offsets).map(([index, fetchOffset]) => ({
    index: Number(index),
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }));
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: 0,
    sessionId,
    sessionEpoch: epoch,
    topics: partitions.length === 0 ? [] : [{ name: topic, partitions }],
    forgottenTopics: forgotten.length === 0 ? [] : [{ name: topic, partitions: forgotten }],
    rackId: '',
  };
}

async function ask(client: RawClient, asked: Asked) {
  const { errorCode, sessionId, topics } = await client.call(apis.fetch, 11, requestOf(asked));
  const partitions = topics.flatMap((topic) => topic.partitions);
  const values = partitions.map(({ index, records }): [number, string[]] => [index, records.flatMap(valuesOf)]);
  return { errorCode, sessionId, partitions, values };
}

function valuesOf(batches: Uint8Array): string[] {
  return [...iterateBatches(batches)].flatMap((batch) => [...batch.records()].map(({ value }) => value!.toString()));
}

const FROM_START = { 0: 0n, 1: 0n, 2: 0n };

describe('in a fetch session', () => {
  let client: RawClient;
  let other: RawClient;

  beforeEach(async () => {
    client = await connected();
    other = await connected();
    await makeTopic(client, 't');
  });

  test('the first answer has all partitions, the next ones only what is new', async () => {
    const first = await ask(client, { epoch: 0, offsets: FROM_START });
    expect(first.sessionId).toBeGreaterThan(0);
    expect(first.values).toEqual([
      [0, []],
      [1, []],
      [2, []],
    ]);
    const { sessionId } = first;
    expect((await ask(client, { sessionId, epoch: 1 })).values).toEqual([]);
    await produce(other, 1, 'a');
    expect((await ask(client, { sessionId, epoch: 2 })).values).toEqual([[1, ['a']]]);
  });

  test('records come again until the client says that it goes on', async () => {
    await produce(other, 1, 'a');
    const { sessionId } = await ask(client, { epoch: 0, offsets: FROM_START });
    for (const epoch of [1, 2]) {
      expect((await ask(client, { sessionId, epoch })).values).toEqual([[1, ['a']]]);
    }
    expect((await ask(client, { sessionId, epoch: 3, offsets: { 1: 1n } })).values).toEqual([]);
  });

  test('a fetch waits, and answers as soon as one of the partitions has something', async () => {
    const { sessionId } = await ask(client, { epoch: 0, offsets: FROM_START });
    const waiting = ask(client, { sessionId, epoch: 1, maxWaitMs: 25_000 });
    await produce(other, 2, 'a');
    expect((await waiting).values).toEqual([[2, ['a']]]);
  });

  test('partitions are left and added', async () => {
    const { sessionId } = await ask(client, { epoch: 0, offsets: { 0: 0n, 1: 0n } });
    const next = await ask(client, { sessionId, epoch: 1, offsets: { 2: 0n }, forgotten: [1] });
    expect(next.values).toEqual([[2, []]]);
    for (const index of [0, 1, 2]) await produce(other, index, 'a');
    expect((await ask(client, { sessionId, epoch: 2 })).values.map(([index]) => index).sort()).toEqual([0, 2]);
  });

  test('a topic that goes is an error, each time', async () => {
    const { sessionId } = await ask(client, { epoch: 0, offsets: { 0: 0n } });
    const waiting = ask(client, { sessionId, epoch: 1, maxWaitMs: 25_000 });
    await other.call(apis.deleteTopics, 1, { topics: [], topicNames: ['t'], timeoutMs: 1000 });
    const gone = [{ index: 0, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION }];
    expect((await waiting).partitions).toMatchObject(gone);
    expect((await ask(client, { sessionId, epoch: 2, maxWaitMs: 25_000 })).partitions).toMatchObject(gone);
    await makeTopic(other, 't');
    await produce(other, 0, 'anew');
    expect((await ask(client, { sessionId, epoch: 3 })).values).toEqual([[0, ['anew']]]);
  });

  test('an epoch that is not the next one is refused, and does no harm', async () => {
    const { sessionId } = await ask(client, { epoch: 0, offsets: FROM_START });
    const refused = { errorCode: errorCodes.INVALID_FETCH_SESSION_EPOCH, values: [] };
    expect(await ask(client, { sessionId, epoch: 2 })).toMatchObject(refused);
    expect(await ask(client, { sessionId, epoch: 1 })).toMatchObject({ errorCode: errorCodes.NONE });
    expect(await ask(client, { sessionId, epoch: 1 })).toMatchObject(refused);
  });

  test('a full fetch ends the session that it names, and opens another one only where that is wanted', async () => {
    const first = await ask(client, { epoch: 0, offsets: FROM_START });
    const second = await ask(client, { epoch: 0, sessionId: first.sessionId, offsets: FROM_START });
    expect([0, first.sessionId]).not.toContain(second.sessionId);
    const notFound = { errorCode: errorCodes.FETCH_SESSION_ID_NOT_FOUND };
    expect(await ask(client, { sessionId: first.sessionId, epoch: 1 })).toMatchObject(notFound);
    const last = await ask(client, { epoch: -1, sessionId: second.sessionId, offsets: FROM_START });
    expect(last.sessionId).toBe(0);
    expect(await ask(client, { sessionId: second.sessionId, epoch: 1 })).toMatchObject(notFound);
  });

  test('every record is seen once and in order, however few bytes an answer may have', async () => {
    let round = 0;
    const script = fc.array(fc.nat(PARTITIONS), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(script, fc.constantFrom(1, 200, 1 << 20), async (steps, maxBytes) => {
        const topic = `t${round++}`;
        await makeTopic(other, topic);
        const written: string[][] = [[], [], []];
        const seen: string[][] = [[], [], []];
        let changed: Record<number, bigint> = FROM_START;
        let sessionId = 0;
        let epoch = 0;
        const poll = async (): Promise<number> => {
          const answer = await ask(client, { sessionId, epoch, offsets: changed, maxBytes, topic });
          expect(answer.errorCode).toBe(errorCodes.NONE);
          ({ sessionId } = answer);
          epoch++;
          changed = {};
          for (const [index, values] of answer.values) {
            if (values.length === 0) continue;
            seen[index]!.push(...values);
            changed[index] = BigInt(seen[index]!.length);
          }
          return Object.keys(changed).length;
        };
        await poll();
        for (const [at, step] of steps.entries()) {
          if (step === PARTITIONS) await poll();
          else {
            written[step]!.push(`v${at}`);
            await produce(other, step, `v${at}`, topic);
          }
        }
        while ((await poll()) > 0);
        expect(seen).toEqual(written);
      }),
      { numRuns: 20 },
    );
  });
});

test('a fetch session ends with the connection that opened it', async () => {
  const client = await connected();
  await makeTopic(client, 't');
  const { sessionId } = await ask(client, { epoch: 0, offsets: FROM_START });
  client.close();
  await expect
    .poll(async () => (await ask(await connected(), { sessionId, epoch: 9 })).errorCode)
    .toBe(errorCodes.FETCH_SESSION_ID_NOT_FOUND);
});

test.each([
  ['sessions', { fetchSessions: 0 }],
  ['partitions', { fetchSessionPartitions: 2 }],
])('where there is no room for more %s, a client reads without one', async (_what, limits) => {
  await running.close();
  running = await startTestBroker({ limits });
  const client = await connected();
  await makeTopic(client, 't');
  await produce(client, 0, 'a');
  const answer = await ask(client, { epoch: 0, offsets: FROM_START });
  expect(answer).toMatchObject({ errorCode: errorCodes.NONE, sessionId: 0 });
  expect(answer.values).toEqual([
    [0, ['a']],
    [1, []],
    [2, []],
  ]);
});

test('a session that grows beyond what there is room for ends', async () => {
  await running.close();
  running = await startTestBroker({ limits: { fetchSessionPartitions: 2 } });
  const client = await connected();
  await makeTopic(client, 't');
  const { sessionId } = await ask(client, { epoch: 0, offsets: { 0: 0n, 1: 0n } });
  const grown = await ask(client, { sessionId, epoch: 1, offsets: { 2: 0n } });
  expect(grown).toMatchObject({ errorCode: errorCodes.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 });
});
