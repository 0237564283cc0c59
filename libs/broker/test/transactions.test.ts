import { apis, errorCodes, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { Consumer, Producer } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
const open: { disconnect(): Promise<void> }[] = [];
const raw: RawClient[] = [];

beforeEach(async () => {
  running = await startTestBroker({ groups: { initialRebalanceDelayMs: 0 } });
  const admin = running.kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: ['market.in', 'out'].map((topic) => ({ topic, numPartitions: 2 })) });
  await admin.disconnect();
});

afterEach(async () => {
  for (const client of raw.splice(0)) client.close();
  for (const client of open.splice(0)) await client.disconnect();
  await running.close();
});

async function producerOf(transactionalId: string, transactionTimeout = 60_000): Promise<Producer> {
  const made = running.kafka.producer({
    transactionalId,
    transactionTimeout,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  open.push(made);
  await made.connect();
  return made;
}

/** Values of partition 0 as they come, until the last one is met. */
async function valuesUntil(last: string, { readUncommitted = false, topic = 'out' } = {}): Promise<string[]> {
  const client: Consumer = running.kafka.consumer({
    groupId: `reader-${Math.random()}`,
    readUncommitted,
    maxWaitTimeInMs: 50,
  });
  open.push(client);
  await client.connect();
  await client.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    client.on(client.events.CRASH, ({ payload }) => reject(payload.error));
    client
      .run({
        eachMessage: async ({ message }) => {
          values.push(message.value!.toString());
          if (values.at(-1) === last) resolve();
        },
      })
      .catch(reject);
  });
  return values;
}

async function connected(): Promise<RawClient> {
  const made = await RawClient.connect(running.port);
  raw.push(made);
  return made;
}

const at = (value: string, topic = 'out') => ({ topic, messages: [{ value, partition: 0 }] });

describe('kafkajs', () => {
  test('reads what was committed, and nothing of what was aborted', async () => {
    const producer = await producerOf('writer');
    const first = await producer.transaction();
    await first.send(at('a'));
    await first.send(at('b'));
    await first.commit();
    const second = await producer.transaction();
    await second.send(at('never'));
    await second.abort();
    const third = await producer.transaction();
    await third.send(at('c'));
    await third.commit();
    expect(await valuesUntil('c')).toEqual(['a', 'b', 'c']);
    expect(await valuesUntil('c', { readUncommitted: true })).toEqual(['a', 'b', 'never', 'c']);
  });

  test('waits for an open transaction before it reads what came after', async () => {
    const slow = await (await producerOf('slow')).transaction();
    await slow.send(at('first'));
    const quick = await (await producerOf('quick')).transaction();
    await quick.send(at('second'));
    await quick.commit();
    expect(await valuesUntil('second', { readUncommitted: true })).toEqual(['first', 'second']);
    const reading = valuesUntil('second');
    await slow.commit();
    expect(await reading).toEqual(['first', 'second']);
  });

  test('commits offsets with the transaction, and drops them with an aborted one', async () => {
    const admin = running.kafka.admin();
    open.push(admin);
    await admin.connect();
    const committed = async () =>
      (await admin.fetchOffsets({ groupId: 'copier', topics: ['market.in'] }))[0]!.partitions.find(
        ({ partition }) => partition === 0,
      )!.offset;
    const copy = async (offset: string) => {
      const transaction = await producer.transaction();
      await transaction.send(at(`copy up to ${offset}`));
      const topics = [{ topic: 'market.in', partitions: [{ partition: 0, offset }] }];
      await transaction.sendOffsets({ consumerGroupId: 'copier', topics });
      return transaction;
    };
    const producer = await producerOf('copier');
    await (await copy('3')).commit();
    expect(await committed()).toBe('3');
    const aborted = await copy('7');
    expect(await committed()).toBe('3');
    await aborted.abort();
    expect(await committed()).toBe('3');
  });

  test('a producer that was replaced can neither write nor commit, and its transaction is aborted', async () => {
    const zombie = await (await producerOf('writer')).transaction();
    await zombie.send(at('of the zombie'));
    const successor = await (await producerOf('writer')).transaction();
    await expect(zombie.send(at('late'))).rejects.toThrow(/epoch/i);
    await expect(zombie.commit()).rejects.toThrow(/epoch/i);
    await successor.send(at('of the successor'));
    await successor.commit();
    expect(await valuesUntil('of the successor')).toEqual(['of the successor']);
  });
});

interface Opened {
  transactionalId: string;
  producerId: bigint;
  producerEpoch: number;
}

async function opened(client: RawClient, transactionalId: string, goesOn?: Opened, version = 4): Promise<Opened> {
  const { producerId, producerEpoch, errorCode } = await client.call(apis.initProducerId, version, {
    transactionalId,
    transactionTimeoutMs: 60_000,
    producerId: goesOn?.producerId ?? -1n,
    producerEpoch: goesOn?.producerEpoch ?? -1,
  });
  if (errorCode !== errorCodes.NONE) throw new Error(`InitProducerId: ${errorCode}`);
  return { transactionalId, producerId, producerEpoch };
}

async function add(client: RawClient, producer: Opened, partitions: number[], version = 3): Promise<number[]> {
  const topics = [{ name: 'out', partitions }];
  const answer = await client.call(apis.addPartitionsToTxn, version, { ...producer, topics });
  return answer.topics[0]!.partitions.map(({ errorCode }) => errorCode);
}

async function write(
  client: RawClient,
  { transactionalId, producerId, producerEpoch }: Opened,
  { value = 'v', index = 0, sequence = 0, named = true, version = 8 } = {},
): Promise<number> {
  const builder = new RecordBatchBuilder();
  builder.append(null, Buffer.from(value), 1000, {});
  const batch = builder.finish({
    baseOffset: 0n,
    producerId,
    producerEpoch,
    baseSequence: sequence,
    isTransactional: true,
  });
  const { topics } = await client.call(apis.produce, version, {
    transactionalId: named ? transactionalId : null,
    acks: -1,
    timeoutMs: 1000,
    topics: [{ name: 'out', partitions: [{ index, records: [batch] }] }],
  });
  return topics[0]!.partitions[0]!.errorCode;
}

async function end(client: RawClient, producer: Opened, committed: boolean, version = 3): Promise<number> {
  return (await client.call(apis.endTxn, version, { ...producer, committed })).errorCode;
}

describe('on the wire', () => {
  let client: RawClient;
  beforeEach(async () => {
    client = await connected();
  });

  test('a transactional batch for a partition that was not added to its transaction is refused', async () => {
    const producer = await opened(client, 'writer');
    expect(await write(client, producer)).toBe(errorCodes.INVALID_TXN_STATE);
    expect(await add(client, producer, [0])).toEqual([errorCodes.NONE]);
    expect(await write(client, producer, { index: 1 })).toBe(errorCodes.INVALID_TXN_STATE);
    expect(await write(client, producer)).toBe(errorCodes.NONE);
    expect(await end(client, producer, true)).toBe(errorCodes.NONE);
    expect(await add(client, producer, [1])).toEqual([errorCodes.NONE]);
    expect(await write(client, producer, { sequence: 1 })).toBe(errorCodes.INVALID_TXN_STATE);
  });

  test('a transactional batch in a request without a transactional id is refused', async () => {
    const producer = await opened(client, 'writer');
    await add(client, producer, [0]);
    expect(await write(client, producer, { named: false })).toBe(errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  });

  test('one unknown partition keeps all others from being added, and no transaction begins', async () => {
    const producer = await opened(client, 'writer');
    expect(await add(client, producer, [0, 9])).toEqual([
      errorCodes.OPERATION_NOT_ATTEMPTED,
      errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect(await end(client, producer, true)).toBe(errorCodes.INVALID_TXN_STATE);
  });

  test('an end that is asked for again is answered again, but never with the other outcome', async () => {
    const producer = await opened(client, 'writer');
    await add(client, producer, [0]);
    expect(await end(client, producer, true)).toBe(errorCodes.NONE);
    expect(await end(client, producer, true)).toBe(errorCodes.NONE);
    expect(await end(client, producer, false)).toBe(errorCodes.INVALID_TXN_STATE);
  });

  test('a transaction that was under way when the broker went can be committed with the next broker', async () => {
    const producer = await opened(client, 'writer');
    await add(client, producer, [0, 1]);
    await write(client, producer, { value: 'a' });

    running = await running.restarted();
    const after = await connected();
    expect(await write(after, producer, { value: 'b', sequence: 1 })).toBe(errorCodes.NONE);
    expect(await write(after, producer, { value: 'c', index: 1 })).toBe(errorCodes.NONE);
    await end(after, producer, true);
    expect(await valuesUntil('b')).toEqual(expect.arrayContaining(['a', 'b']));
  });

  test('offsets for a group that was not added to the transaction are refused', async () => {
    const producer = await opened(client, 'writer');
    const commit = async () => {
      const partitions = [{ index: 0, committedOffset: 5n, committedLeaderEpoch: -1, committedMetadata: null }];
      const membership = { generationId: -1, memberId: '', groupInstanceId: null };
      const request = { ...producer, ...membership, groupId: 'g', topics: [{ name: 'out', partitions }] };
      return (await client.call(apis.txnOffsetCommit, 3, request)).topics[0]!.partitions[0]!.errorCode;
    };
    await add(client, producer, [0]);
    expect(await commit()).toBe(errorCodes.INVALID_TXN_STATE);
    await client.call(apis.addOffsetsToTxn, 3, { ...producer, groupId: 'g' });
    expect(await commit()).toBe(errorCodes.NONE);
  });

  test.each([
    [1, errorCodes.INVALID_PRODUCER_EPOCH],
    [2, errorCodes.PRODUCER_FENCED],
  ])('clients of version %i learn by code %i that they were replaced', async (version, fenced) => {
    const zombie = await opened(client, 'writer');
    await opened(client, 'writer');
    expect(await add(client, zombie, [0], version)).toEqual([fenced]);
    expect(await end(client, zombie, true, version)).toBe(fenced);
    const offsets = await client.call(apis.addOffsetsToTxn, version, { ...zombie, groupId: 'g' });
    expect(offsets.errorCode).toBe(fenced);
  });

  test('a producer that never had the transactional id is told so', async () => {
    const producer = await opened(client, 'writer');
    const stranger = { ...producer, producerId: producer.producerId + 1n };
    expect(await add(client, stranger, [0])).toEqual([errorCodes.INVALID_PRODUCER_ID_MAPPING]);
    expect(await end(client, stranger, true)).toBe(errorCodes.INVALID_PRODUCER_ID_MAPPING);
    expect(await end(client, { ...producer, transactionalId: 'nobody' }, true)).toBe(
      errorCodes.INVALID_PRODUCER_ID_MAPPING,
    );
  });

  test('a producer goes on as its own next incarnation, unless another one took over', async () => {
    const first = await opened(client, 'writer');
    const second = await opened(client, 'writer', first);
    expect(second).toEqual({ ...first, producerEpoch: first.producerEpoch + 1 });
    await opened(client, 'writer');
    await expect(opened(client, 'writer', second)).rejects.toThrow(String(errorCodes.PRODUCER_FENCED));
    await expect(opened(client, 'writer', second, 3)).rejects.toThrow(String(errorCodes.INVALID_PRODUCER_EPOCH));
  });

  test.each([
    ['an empty transactional id', { transactionalId: '' }, errorCodes.INVALID_REQUEST],
    ['an epoch without a producer', { producerEpoch: 3 }, errorCodes.INVALID_REQUEST],
    ['more time than is given', { transactionTimeoutMs: 86_400_000 }, errorCodes.INVALID_TRANSACTION_TIMEOUT],
  ])('a producer with %s is refused', async (_what, wrong, errorCode) => {
    const right = { transactionalId: 'writer', transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 };
    const answer = await client.call(apis.initProducerId, 4, { ...right, ...wrong });
    expect(answer).toMatchObject({ errorCode, producerId: -1n, producerEpoch: -1 });
  });

  test('transactional ids have a coordinator: this broker', async () => {
    const answer = await client.call(apis.findCoordinator, 2, { key: 'writer', keyType: 1, keys: [] });
    expect(answer).toMatchObject({ errorCode: errorCodes.NONE, port: running.port });
  });

  test('the end of a partition is, for who reads committed records, where the first open transaction begins', async () => {
    const latest = async (isolationLevel: number) => {
      const topics = [{ name: 'out', partitions: [{ index: 0, currentLeaderEpoch: -1, timestamp: -1n }] }];
      const answer = await client.call(apis.listOffsets, 5, { replicaId: -1, isolationLevel, topics });
      return answer.topics[0]!.partitions[0]!.offset;
    };
    const producer = await opened(client, 'writer');
    await add(client, producer, [0]);
    await write(client, producer);
    expect([await latest(0), await latest(1)]).toEqual([1n, 0n]);
    await end(client, producer, true);
    expect([await latest(0), await latest(1)]).toEqual([2n, 2n]);
  });

  test('tools see what a transaction is doing, where, and since when', async () => {
    const producer = await opened(client, 'writer');
    await opened(client, 'idle');
    const described = async () => {
      const request = { transactionalIds: ['writer', 'nobody'] };
      const { transactions } = await client.call(apis.describeTransactions, 0, request);
      return transactions.map(({ errorCode, state, topics }) => [errorCode, state, topics]);
    };
    const listed = async (stateFilters: string[], durationFilterMs = -1n) => {
      const request = { stateFilters, producerIdFilters: [], durationFilterMs };
      const { transactions, unknownStateFilters } = await client.call(apis.listTransactions, 1, request);
      return [transactions.map(({ transactionalId }) => transactionalId).sort(), unknownStateFilters];
    };
    const openFrom = async () => {
      const topics = [{ name: 'out', partitions: [0] }];
      const answer = await client.call(apis.describeProducers, 0, { topics });
      const { activeProducers } = answer.topics[0]!.partitions[0]!;
      return activeProducers.map(({ producerId, currentTxnStartOffset }) => [producerId, currentTxnStartOffset]);
    };
    const nobody = [errorCodes.TRANSACTIONAL_ID_NOT_FOUND, '', []];

    expect(await described()).toEqual([[errorCodes.NONE, 'Empty', []], nobody]);
    await add(client, producer, [0, 1]);
    await write(client, producer);
    const topics = [{ name: 'out', partitions: [0, 1] }];
    expect(await described()).toEqual([[errorCodes.NONE, 'Ongoing', topics], nobody]);
    expect(await listed([])).toEqual([['idle', 'writer'], []]);
    expect(await listed(['Ongoing', 'Asleep'])).toEqual([['writer'], ['Asleep']]);
    expect(await listed([], 3_600_000n)).toEqual([[], []]);
    expect(await openFrom()).toEqual([[producer.producerId, 0n]]);
    await end(client, producer, false);
    expect(await described()).toEqual([[errorCodes.NONE, 'CompleteAbort', []], nobody]);
    expect(await openFrom()).toEqual([[producer.producerId, -1n]]);
  });

  describe('where each transaction has an epoch of its own', () => {
    const version = 12;
    const endAs = async (producer: Opened, committed: boolean) => {
      const answer = await client.call(apis.endTxn, 5, { ...producer, committed });
      const { errorCode, producerId, producerEpoch } = answer;
      return { errorCode, next: { ...producer, producerId, producerEpoch } };
    };

    test('a batch needs no announcement, and an end makes the next epoch', async () => {
      const producer = await opened(client, 'writer');
      expect(await write(client, producer, { value: 'a', version })).toBe(errorCodes.NONE);
      expect(await write(client, producer, { value: 'b', sequence: 1, version })).toBe(errorCodes.NONE);
      const { errorCode, next } = await endAs(producer, true);
      expect(errorCode).toBe(errorCodes.NONE);
      expect(next).toEqual({ ...producer, producerEpoch: producer.producerEpoch + 1 });
      expect(await endAs(producer, true)).toEqual({ errorCode, next });
      expect(await write(client, next, { value: 'c', version })).toBe(errorCodes.NONE);
      await endAs(next, true);
      expect(await valuesUntil('c')).toEqual(['a', 'b', 'c']);
    });

    test('whatever comes late of one transaction does not touch the next', async () => {
      const producer = await opened(client, 'writer');
      await write(client, producer, { value: 'a', version });
      const { next } = await endAs(producer, false);
      await write(client, next, { value: 'b', version });
      expect(await write(client, producer, { value: 'late', sequence: 1, version })).toBe(
        errorCodes.INVALID_PRODUCER_EPOCH,
      );
      expect((await endAs(producer, true)).errorCode).toBe(errorCodes.PRODUCER_FENCED);
      await endAs(next, true);
      expect(await valuesUntil('b')).toEqual(['b']);
    });

    test('batches that are sent without waiting begin the transaction in their order', async () => {
      const producer = await opened(client, 'writer');
      const codes = await Promise.all(
        Array.from({ length: 20 }, (_, sequence) =>
          write(client, producer, { value: `${sequence}`, sequence, version }),
        ),
      );
      expect(new Set(codes)).toEqual(new Set([errorCodes.NONE]));
      await endAs(producer, true);
      expect(await valuesUntil('19')).toEqual(codes.map((_, sequence) => `${sequence}`));
    });

    test('offsets need no announcement either', async () => {
      const producer = await opened(client, 'writer');
      const partitions = [{ index: 0, committedOffset: 5n, committedLeaderEpoch: -1, committedMetadata: null }];
      const request = { ...producer, groupId: 'g', generationId: -1, memberId: '', groupInstanceId: null };
      const answer = await client.call(apis.txnOffsetCommit, 5, { ...request, topics: [{ name: 'out', partitions }] });
      expect(answer.topics[0]!.partitions).toEqual([{ index: 0, errorCode: errorCodes.NONE }]);
      expect((await endAs(producer, true)).errorCode).toBe(errorCodes.NONE);
    });

    test('a transaction that nothing came of can be aborted, but not committed', async () => {
      const producer = await opened(client, 'writer');
      expect((await endAs(producer, true)).errorCode).toBe(errorCodes.INVALID_TXN_STATE);
      const { errorCode, next } = await endAs(producer, false);
      expect([errorCode, next.producerEpoch]).toEqual([errorCodes.NONE, producer.producerEpoch + 1]);
    });

    test('a batch that is damaged is refused, and its connection goes on', async () => {
      const damaged = Buffer.alloc(100);
      damaged.writeInt32BE(100 - 12, 8);
      const topics = [{ name: 'out', partitions: [{ index: 0, records: [damaged] }] }];
      const request = { transactionalId: 'writer', acks: -1, timeoutMs: 1000, topics };
      const answer = await client.call(apis.produce, version, request);
      expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(errorCodes.CORRUPT_MESSAGE);
    });
  });
});
