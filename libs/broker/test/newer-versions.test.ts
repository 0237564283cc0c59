import { apis, errorCodes, MAX_TIMESTAMP, NO_UUID, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
let client: RawClient;

beforeEach(async () => {
  running = await startTestBroker({ groups: { initialRebalanceDelayMs: 0 } });
  client = await RawClient.connect(running.port);
});

afterEach(async () => {
  client.close();
  await running.close();
});

async function makeTopic(name: string, partitionCount = 1, configs: { name: string; value: string }[] = []) {
  const topic = { name, partitionCount, replicationFactor: -1, assignments: [], configs };
  const request = { topics: [topic], timeoutMs: 1000, validateOnly: false };
  return (await client.call(apis.createTopics, 7, request)).topics[0]!;
}

async function produce(name: string, ...timestamps: number[]) {
  const builder = new RecordBatchBuilder();
  for (const timestamp of timestamps) builder.append(null, Buffer.from('x'), timestamp, {});
  const topics = [{ name, partitions: [{ index: 0, records: [builder.finish({ baseOffset: 0n })] }] }];
  const request = { transactionalId: null, acks: -1, timeoutMs: 1000, topics };
  return (await client.call(apis.produce, 9, request)).topics[0]!.partitions[0]!;
}

function commit(groupId: string, name: string, committedOffset: bigint) {
  const offset = { index: 0, committedOffset, committedLeaderEpoch: 0, committedMetadata: null };
  const sender = { groupId, generationId: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n };
  return client.call(apis.offsetCommit, 8, { ...sender, topics: [{ name, partitions: [offset] }] });
}

describe('topics', () => {
  test('a new one is answered with its id, its partitions and its settings', async () => {
    const made = await makeTopic('t', -1, [{ name: 'retention.ms', value: '1000' }]);
    expect(made).toMatchObject({ errorCode: 0, partitionCount: 1, replicationFactor: 1 });
    expect(made.topicId).not.toEqual(Buffer.from(NO_UUID));
    expect(made.configs).toContainEqual({
      name: 'retention.ms',
      value: '1000',
      readOnly: false,
      source: 1,
      isSensitive: false,
    });
    expect(await makeTopic('t')).toMatchObject({ errorCode: errorCodes.TOPIC_ALREADY_EXISTS, configs: null });
  });

  test('a request that is only to be validated makes none, and finds the same faults', async () => {
    const validate = async (name: string, settings: string[]) => {
      const configs = settings.map((setting) => ({ name: setting, value: '1' }));
      const topic = { name, partitionCount: 1, replicationFactor: 1, assignments: [], configs };
      const request = { topics: [topic], timeoutMs: 1000, validateOnly: true };
      return (await client.call(apis.createTopics, 7, request)).topics[0]!.errorCode;
    };
    expect(await validate('t', ['retention.ms'])).toBe(0);
    expect(await validate('t', ['no.such'])).toBe(errorCodes.INVALID_CONFIG);
    expect(await validate('a/b', [])).toBe(errorCodes.INVALID_TOPIC_EXCEPTION);
    expect((await makeTopic('t')).errorCode).toBe(0);
  });

  test('are deleted by id as well as by name', async () => {
    const { topicId } = await makeTopic('a');
    await makeTopic('b');
    const unknown = Buffer.alloc(16, 7);
    const topics = [
      { name: null, topicId },
      { name: 'b', topicId: NO_UUID },
      { name: null, topicId: unknown },
      { name: 'missing', topicId: NO_UUID },
    ];
    const answer = await client.call(apis.deleteTopics, 6, { topics, topicNames: [], timeoutMs: 1000 });
    expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', 0],
      ['b', 0],
      [null, errorCodes.UNKNOWN_TOPIC_ID],
      ['missing', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    const flags = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };
    const all = { topics: null, allowAutoTopicCreation: false, ...flags };
    expect((await client.call(apis.metadata, 9, all)).topics).toEqual([]);
  });
});

describe('records', () => {
  test('are written and read in the flexible format', async () => {
    await makeTopic('t');
    expect(await produce('t', 1, 2)).toMatchObject({ errorCode: 0, baseOffset: 0n });
    const partition = {
      index: 0,
      currentLeaderEpoch: 0,
      fetchOffset: 0n,
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes: 1_000_000,
    };
    const response = await client.call(apis.fetch, 12, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ name: 't', partitions: [partition] }],
      forgottenTopics: [],
      rackId: '',
    });
    const [answer] = response.topics[0]!.partitions;
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 2n });
    expect(answer!.records[0]!.length).toBeGreaterThan(60);
  });

  test('the one with the latest time is found, wherever it is', async () => {
    await makeTopic('t');
    await produce('t', 1000, 5000, 2000);
    await produce('t', 3000, 5000);
    const latest = async () => {
      const topics = [{ name: 't', partitions: [{ index: 0, currentLeaderEpoch: -1, timestamp: MAX_TIMESTAMP }] }];
      const response = await client.call(apis.listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics });
      const { offset, timestamp } = response.topics[0]!.partitions[0]!;
      return [offset, timestamp];
    };
    expect(await latest()).toEqual([1n, 5000n]);
    const request = { topics: [{ name: 't', partitions: [{ index: 0, offset: 2n }] }], timeoutMs: 1000 };
    await client.call(apis.deleteRecords, 2, request);
    expect(await latest()).toEqual([4n, 5000n]);
    await client.call(apis.deleteRecords, 2, {
      ...request,
      topics: [{ name: 't', partitions: [{ index: 0, offset: -1n }] }],
    });
    expect(await latest()).toEqual([-1n, -1n]);
  });
});

describe('groups', () => {
  test('several are asked at once for their coordinator and for their offsets', async () => {
    const found = await client.call(apis.findCoordinator, 4, { key: '', keyType: 0, keys: ['g', 'h'] });
    expect(found.coordinators).toMatchObject([
      { key: 'g', errorCode: 0, port: running.port },
      { key: 'h', errorCode: 0, port: running.port },
    ]);
    await makeTopic('t');
    await commit('g', 't', 3n);
    const topics = [{ name: 't', partitions: [0] }];
    const groups = [
      { groupId: 'g', topics: null },
      { groupId: 'h', topics },
    ];
    const answer = await client.call(apis.offsetFetch, 8, { groupId: '', topics: null, groups, requireStable: true });
    expect(answer.groups).toMatchObject([
      { groupId: 'g', errorCode: 0, topics: [{ name: 't', partitions: [{ index: 0, committedOffset: 3n }] }] },
      { groupId: 'h', errorCode: 0, topics: [{ name: 't', partitions: [{ index: 0, committedOffset: -1n }] }] },
    ]);
  });

  test('offsets that a transaction holds are unstable until it is over, for those who ask', async () => {
    await makeTopic('t');
    await commit('g', 't', 1n);
    const producer = running.kafka.producer({ transactionalId: 'x', idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 't', partitions: [{ partition: 0, offset: '2' }] }],
    });
    const ask = async (requireStable: boolean) => {
      const request = { groupId: 'g', topics: [{ name: 't', partitions: [0] }], groups: [], requireStable };
      const { errorCode, committedOffset } = (await client.call(apis.offsetFetch, 7, request)).topics[0]!
        .partitions[0]!;
      return [errorCode, committedOffset];
    };
    expect(await ask(true)).toEqual([errorCodes.UNSTABLE_OFFSET_COMMIT, -1n]);
    expect(await ask(false)).toEqual([0, 1n]);
    await transaction.commit();
    expect(await ask(true)).toEqual([0, 2n]);
    await producer.disconnect();
  });

  test('a member joins, gets its part and leaves in the newest format', async () => {
    const joining = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      groupInstanceId: 'one',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
      reason: 'because',
    };
    const joined = await client.call(apis.joinGroup, 9, joining);
    expect(joined).toMatchObject({ errorCode: 0, protocolType: 'consumer', protocolName: 'range', generationId: 1 });
    const { memberId, generationId } = joined;
    const sender = { groupId: 'g', generationId, memberId, groupInstanceId: 'one' };
    const synced = await client.call(apis.syncGroup, 5, {
      ...sender,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment: Buffer.from('p0') }],
    });
    expect(synced).toMatchObject({ errorCode: 0, protocolType: 'consumer', protocolName: 'range' });
    expect(Buffer.from(synced.assignment).toString()).toBe('p0');
    expect((await client.call(apis.heartbeat, 4, sender)).errorCode).toBe(0);
    const described = await client.call(apis.describeGroups, 6, { groups: ['g'], includeAuthorizedOperations: true });
    expect(described.groups).toMatchObject([
      { state: 'Stable', authorizedOperations: 0b1_0100_1000, members: [{ memberId, groupInstanceId: 'one' }] },
    ]);
    const left = await client.call(apis.leaveGroup, 5, {
      groupId: 'g',
      memberId: '',
      members: [{ memberId: '', groupInstanceId: 'one', reason: 'done' }],
    });
    expect(left.members).toMatchObject([{ groupInstanceId: 'one', errorCode: 0 }]);
    expect((await client.call(apis.deleteGroups, 2, { groups: ['g'] })).results).toEqual([
      { groupId: 'g', errorCode: 0 },
    ]);
  });

  test('are listed by state and by type', async () => {
    await makeTopic('t');
    await commit('g', 't', 1n);
    const names = async (states: string[], types: string[]) =>
      (await client.call(apis.listGroups, 5, { states, types })).groups.map(({ groupId, state }) => [groupId, state]);
    expect(await names([], [])).toEqual([['g', 'Empty']]);
    expect(await names(['empty', 'Stable'], ['Classic'])).toEqual([['g', 'Empty']]);
    expect(await names(['Stable'], [])).toEqual([]);
    expect(await names([], ['consumer'])).toEqual([]);
  });

  test('one that is not there is dead, and from version 6 on an error', async () => {
    const request = { groups: ['nobody'], includeAuthorizedOperations: false };
    const [before] = (await client.call(apis.describeGroups, 5, request)).groups;
    expect(before).toMatchObject({ errorCode: 0, state: 'Dead' });
    const [after] = (await client.call(apis.describeGroups, 6, request)).groups;
    expect(after).toMatchObject({ errorCode: errorCodes.GROUP_ID_NOT_FOUND, state: 'Dead' });
  });
});

test('nobody is limited, and nobody has a password', async () => {
  const quotas = await client.call(apis.describeClientQuotas, 1, { components: [], strict: false });
  expect(quotas).toMatchObject({ errorCode: 0, entries: [] });
  const all = await client.call(apis.describeUserScramCredentials, 0, { users: null });
  expect(all).toMatchObject({ errorCode: 0, results: [] });
  const one = await client.call(apis.describeUserScramCredentials, 0, { users: [{ name: 'x' }] });
  expect(one.results).toMatchObject([{ user: 'x', errorCode: errorCodes.RESOURCE_NOT_FOUND }]);
});
