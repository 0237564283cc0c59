import { apis, configOperations, configSources, errorCodes, resourceTypes } from '@tickfold/kafka-protocol';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ConfigResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
let admin: Admin;
let raw: RawClient;

beforeEach(async () => {
  running = await startTestBroker({ groups: { initialRebalanceDelayMs: 0 } });
  admin = running.kafka.admin();
  await admin.connect();
  raw = await RawClient.connect(running.port);
});

afterEach(async () => {
  raw.close();
  await admin.disconnect();
  await running.close();
});

function makeTopic(topic: string, numPartitions = 1, settings: Record<string, string> = {}): Promise<boolean> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  return admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] });
}

async function produce(topic: string, values: string[]): Promise<void> {
  const producer = running.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
  await producer.disconnect();
}

async function describeConfigs(type: number, name: string, keys: string[] | null = null) {
  const request = { resources: [{ type, name, keys }], includeSynonyms: true, includeDocumentation: true };
  const [resource] = (await raw.call(apis.describeConfigs, 4, request)).resources;
  return { ...resource!, byName: new Map(resource!.configs.map((config) => [config.name, config])) };
}

async function settingOf(topic: string, name: string): Promise<string | null> {
  return (await describeConfigs(resourceTypes.topic, topic)).byName.get(name)!.value;
}

describe('CreatePartitions', () => {
  test('gives a topic more partitions, which can be written to at once and are there after a restart', async () => {
    await makeTopic('t', 1);
    await admin.createPartitions({ topicPartitions: [{ topic: 't', count: 3 }] });
    const producer = running.kafka.producer();
    await producer.connect();
    await producer.send({ topic: 't', messages: [{ value: 'a', partition: 2 }] });
    await producer.disconnect();
    raw.close();
    await admin.disconnect();
    running = await running.restarted();
    raw = await RawClient.connect(running.port);
    admin = running.kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets('t');
    expect(offsets.map(({ high }) => high).sort()).toEqual(['0', '0', '1']);
  });

  test.each([
    ['as many as there are', { count: 2 }, errorCodes.INVALID_PARTITIONS],
    ['fewer than there are', { count: 1 }, errorCodes.INVALID_PARTITIONS],
    ['more than the limit', { count: 10_001 }, errorCodes.INVALID_PARTITIONS],
    ['a topic that is not there', { name: 'missing' }, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['a broker that is not there', { assignments: [{ brokerIds: [2] }] }, errorCodes.INVALID_REPLICA_ASSIGNMENT],
    ['too few assignments', { count: 4, assignments: [{ brokerIds: [1] }] }, errorCodes.INVALID_REPLICA_ASSIGNMENT],
  ])('%s is refused, and the message says why', async (_what, changes, errorCode) => {
    await makeTopic('t', 2);
    const topics = [{ name: 't', count: 3, assignments: null, ...changes }];
    const { results } = await raw.call(apis.createPartitions, 3, { topics, timeoutMs: 1000, validateOnly: false });
    expect(results[0]).toMatchObject({ errorCode, errorMessage: expect.stringMatching(/./) });
  });

  test('a request that is only to be validated changes nothing', async () => {
    await makeTopic('t', 2);
    const topics = [{ name: 't', count: 3, assignments: null }];
    const { results } = await raw.call(apis.createPartitions, 0, { topics, timeoutMs: 1000, validateOnly: true });
    expect(results).toEqual([{ name: 't', errorCode: 0, errorMessage: null }]);
    expect((await admin.fetchTopicMetadata({ topics: ['t'] })).topics[0]!.partitions).toHaveLength(2);
  });
});

describe('DescribeConfigs', () => {
  test('says of each setting of a topic what it is, where it comes from, and what stands behind it', async () => {
    await makeTopic('t', 1, { 'retention.ms': '1000' });
    const { byName } = await describeConfigs(resourceTypes.topic, 't');
    expect(byName.get('retention.ms')).toMatchObject({
      value: '1000',
      readOnly: false,
      source: 1,
      configType: 5,
      synonyms: [
        { name: 'retention.ms', value: '1000', source: 1 },
        { name: 'log.retention.ms', value: '-1', source: 5 },
      ],
      documentation: expect.stringContaining('How long'),
    });
    expect(byName.get('cleanup.policy')).toMatchObject({ value: 'delete', source: 5, configType: 7 });
  });

  test('every value that it shows for a topic can be set', async () => {
    await makeTopic('t');
    const { configs } = await describeConfigs(resourceTypes.topic, 't');
    expect(configs.length).toBeGreaterThan(15);
    await makeTopic('again', 1, Object.fromEntries(configs.map(({ name, value }) => [name, value!])));
    expect((await describeConfigs(resourceTypes.topic, 'again')).configs.map(({ value }) => value)).toEqual(
      configs.map(({ value }) => value),
    );
  });

  test('gives only what was asked for', async () => {
    await makeTopic('t');
    const { configs } = await describeConfigs(resourceTypes.topic, 't', ['retention.ms', 'no.such']);
    expect(configs.map(({ name }) => name)).toEqual(['retention.ms']);
  });

  test('tells how the broker was set up', async () => {
    await admin.disconnect();
    raw.close();
    await running.close();
    running = await startTestBroker({ autoCreateTopics: false, limits: { frameBytes: 1_000_000 } });
    admin = running.kafka.admin();
    await admin.connect();
    raw = await RawClient.connect(running.port);
    const { byName } = await describeConfigs(resourceTypes.broker, '1');
    expect(byName.get('auto.create.topics.enable')).toMatchObject({ value: 'false', source: 4, readOnly: true });
    expect(byName.get('socket.request.max.bytes')).toMatchObject({ value: '1000000', source: 4 });
    expect(byName.get('num.partitions')).toMatchObject({ value: '1', source: 5 });
    expect((await describeConfigs(resourceTypes.broker, '2')).errorCode).toBe(errorCodes.INVALID_REQUEST);
  });
});

describe('AlterConfigs', () => {
  test('replaces all settings of a topic', async () => {
    await makeTopic('t', 1, { 'retention.ms': '1000' });
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: 't', configEntries: [{ name: 'max.message.bytes', value: '2000' }] },
      ],
    });
    expect(await settingOf('t', 'max.message.bytes')).toBe('2000');
    expect(await settingOf('t', 'retention.ms')).toBe('-1');
    await expect(produce('t', ['x'.repeat(3000)])).rejects.toThrow('larger than the max message size');
  });

  const alter = async (type: number, name: string, configs: { name: string; value: string | null }[]) => {
    const request = { resources: [{ type, name, configs }], validateOnly: false };
    return (await raw.call(apis.alterConfigs, 2, request)).resources[0]!;
  };

  test.each([
    ['a topic that is not there', 2, 'missing', 'retention.ms', '1', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['a setting that does not exist', 2, 't', 'no.such', '1', errorCodes.INVALID_CONFIG],
    ['a value that cannot be', 2, 't', 'retention.ms', 'soon', errorCodes.INVALID_CONFIG],
    ['no value', 2, 't', 'retention.ms', null, errorCodes.INVALID_REQUEST],
    ['what of the broker is given when it starts', 4, '1', 'log.retention.ms', '1', errorCodes.INVALID_REQUEST],
    ['a value that the broker cannot have', 4, '1', 'max.connections', '0', errorCodes.INVALID_REQUEST],
    ['a broker that is not there', 4, '2', 'max.connections', '9', errorCodes.INVALID_REQUEST],
    ['what is neither topic nor broker', 8, 't', 'x', '1', errorCodes.INVALID_REQUEST],
  ])('%s is refused, and the message says why', async (_what, type, name, config, value, errorCode) => {
    await makeTopic('t');
    const answer = await alter(type, name, [{ name: config, value }]);
    expect(answer).toMatchObject({ type, name, errorCode, errorMessage: expect.stringMatching(/./) });
  });
});

describe('IncrementalAlterConfigs', () => {
  const alter = async (
    configs: { name: string; operation: number; value: string | null }[],
    { validateOnly = false, name = 't', client = raw } = {},
  ) => {
    const request = { resources: [{ type: resourceTypes.topic, name, configs }], validateOnly };
    return (await client.call(apis.incrementalAlterConfigs, 1, request)).resources[0]!;
  };

  test('sets, deletes, adds to and takes from single settings, and leaves the others alone', async () => {
    await makeTopic('t', 1, { 'retention.ms': '1000', 'max.message.bytes': '2000' });
    const answer = await alter([
      { name: 'retention.bytes', operation: configOperations.set, value: '5000' },
      { name: 'retention.ms', operation: configOperations.delete, value: null },
      { name: 'cleanup.policy', operation: configOperations.append, value: 'compact' },
    ]);
    expect(answer.errorCode).toBe(0);
    const values = ['retention.bytes', 'retention.ms', 'cleanup.policy', 'max.message.bytes'];
    expect(await Promise.all(values.map((name) => settingOf('t', name)))).toEqual([
      '5000',
      '-1',
      'delete,compact',
      '2000',
    ]);
    await alter([{ name: 'cleanup.policy', operation: configOperations.subtract, value: 'delete' }]);
    expect(await settingOf('t', 'cleanup.policy')).toBe('compact');
  });

  test('changes that come at the same time do not undo one another', async () => {
    await makeTopic('t');
    const other = await RawClient.connect(running.port);
    const set = (name: string, value: string, client: RawClient) =>
      alter([{ name, operation: configOperations.set, value }], { client });
    await Promise.all([set('retention.ms', '1000', raw), set('retention.bytes', '2000', other)]);
    other.close();
    expect(await settingOf('t', 'retention.ms')).toBe('1000');
    expect(await settingOf('t', 'retention.bytes')).toBe('2000');
  });

  test('a change that is only to be validated changes nothing', async () => {
    await makeTopic('t');
    const change = { name: 'retention.ms', operation: configOperations.set, value: '1' };
    expect((await alter([change], { validateOnly: true })).errorCode).toBe(0);
    expect((await alter([{ ...change, value: 'soon' }], { validateOnly: true })).errorCode).toBe(
      errorCodes.INVALID_CONFIG,
    );
    expect(await settingOf('t', 'retention.ms')).toBe('-1');
  });

  test.each([
    ['adding to what is no list', 'retention.ms', configOperations.append, errorCodes.INVALID_CONFIG],
    ['an operation that does not exist', 'retention.ms', 9, errorCodes.INVALID_REQUEST],
  ])('%s is refused', async (_what, name, operation, errorCode) => {
    await makeTopic('t');
    expect((await alter([{ name, operation, value: '1' }])).errorCode).toBe(errorCode);
  });

  test('one setting twice in one request is refused', async () => {
    await makeTopic('t');
    const change = { name: 'retention.ms', operation: configOperations.set, value: '1' };
    expect((await alter([change, change])).errorCode).toBe(errorCodes.INVALID_REQUEST);
  });
});

describe('settings of the broker', () => {
  const alter = async (value: string | null, validateOnly = false) => {
    const operation = value === null ? configOperations.delete : configOperations.set;
    const configs = [{ name: 'max.connections', operation, value }];
    const request = { resources: [{ type: resourceTypes.broker, name: '1', configs }], validateOnly };
    return (await raw.call(apis.incrementalAlterConfigs, 1, request)).resources[0]!.errorCode;
  };
  const shown = async () => (await describeConfigs(resourceTypes.broker, '1')).byName.get('max.connections')!;

  test('some are changed while it runs, count at once, and go back', async () => {
    const open = running.broker.connectionCount;
    expect(await alter('1', true)).toBe(0);
    expect(await shown()).toMatchObject({ value: '1000', source: 5, readOnly: false });
    expect(await alter(String(open))).toBe(0);
    expect(await shown()).toMatchObject({
      value: String(open),
      source: 2,
      synonyms: [
        { name: 'max.connections', value: String(open), source: 2 },
        { name: 'max.connections', value: '1000', source: 5 },
      ],
    });
    await (await RawClient.connect(running.port)).closed;
    expect(await alter(null)).toBe(0);
    expect(await shown()).toMatchObject({ value: '1000', source: 5 });
    const more = await RawClient.connect(running.port);
    expect((await more.call(apis.listGroups, 0, { states: [], types: [] })).errorCode).toBe(0);
    more.close();
  });

  test('groups have those of the newer protocol', async () => {
    const name = 'consumer.session.timeout.ms';
    const set = async (operation: number, value: string | null, setting = name) => {
      const configs = [{ name: setting, operation, value }];
      const request = { resources: [{ type: resourceTypes.group, name: 'g', configs }], validateOnly: false };
      return (await raw.call(apis.incrementalAlterConfigs, 1, request)).resources[0]!.errorCode;
    };
    const shown = async () =>
      (await describeConfigs(resourceTypes.group, 'g')).configs.find((config) => config.name === name);
    expect(await shown()).toMatchObject({ value: '45000', source: configSources.default });
    expect(await set(configOperations.set, '50000')).toBe(errorCodes.NONE);
    expect(await shown()).toMatchObject({ value: '50000', source: configSources.dynamicGroup });
    expect(await set(configOperations.set, 'soon')).toBe(errorCodes.INVALID_CONFIG);
    expect(await set(configOperations.set, '1', 'unheard.of')).toBe(errorCodes.INVALID_CONFIG);
    expect(await set(configOperations.delete, null)).toBe(errorCodes.NONE);
    expect(await shown()).toMatchObject({ value: '45000' });
  });
});

describe('DeleteRecords', () => {
  test('moves the start of the log to the offset, or to its end', async () => {
    await makeTopic('t');
    await produce('t', ['a', 'b', 'c']);
    // kafkajs deletes only where it has seen a topic's leaders before.
    expect(await admin.fetchTopicOffsets('t')).toMatchObject([{ low: '0', high: '3' }]);
    await admin.deleteTopicRecords({ topic: 't', partitions: [{ partition: 0, offset: '2' }] });
    expect(await admin.fetchTopicOffsets('t')).toMatchObject([{ low: '2', high: '3' }]);
    await admin.deleteTopicRecords({ topic: 't', partitions: [{ partition: 0, offset: '-1' }] });
    expect(await admin.fetchTopicOffsets('t')).toMatchObject([{ low: '3', high: '3' }]);
  });

  test.each([
    ['past the end', 't', 0, 4n, errorCodes.OFFSET_OUT_OF_RANGE],
    ['of a partition that is not there', 't', 1, 0n, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['of a topic that is only compacted', 'compacted', 0, 0n, errorCodes.POLICY_VIOLATION],
  ])('%s is refused', async (_what, name, index, offset, errorCode) => {
    await makeTopic('t');
    await makeTopic('compacted', 1, { 'cleanup.policy': 'compact' });
    const request = { topics: [{ name, partitions: [{ index, offset }] }], timeoutMs: 1000 };
    const { topics } = await raw.call(apis.deleteRecords, 2, request);
    expect(topics).toEqual([{ name, partitions: [{ index, lowWatermark: -1n, errorCode }] }]);
  });
});

describe('DescribeLogDirs', () => {
  test('tells how much room each partition takes, by volume', async () => {
    await makeTopic('market.ticks', 2);
    await makeTopic('t');
    await produce('market.ticks', ['x'.repeat(1000)]);
    const { results } = await raw.call(apis.describeLogDirs, 4, { topics: null });
    const sizes = results.map(({ logDir, errorCode, topics }) => ({
      logDir,
      errorCode,
      topics: topics.map(({ name, partitions }) => [name, ...partitions.map(({ sizeBytes }) => sizeBytes > 1000n)]),
    }));
    expect(sizes.sort((a, b) => (a.logDir < b.logDir ? -1 : 1))).toEqual([
      { logDir: 'default', errorCode: 0, topics: [['t', false]] },
      { logDir: 'market', errorCode: 0, topics: [['market.ticks', true, false]] },
    ]);
    const asked = {
      topics: [
        { name: 'market.ticks', partitions: [1, 9] },
        { name: 'missing', partitions: [0] },
      ],
    };
    const some = await raw.call(apis.describeLogDirs, 1, asked);
    expect(some.results.flatMap(({ topics }) => topics)).toMatchObject([
      { name: 'market.ticks', partitions: [{ index: 1, sizeBytes: 0n }] },
    ]);
  });
});

describe('access rules', () => {
  test('there are none, and nobody is told that there are: neither on asking, nor on making, nor on deleting', async () => {
    const filter = {
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    };
    const rule = {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: 't',
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:x',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.ALLOW,
    };
    await expect(admin.describeAcls(filter)).rejects.toMatchObject({ type: 'SECURITY_DISABLED' });
    await expect(admin.createAcls({ acl: [rule] })).rejects.toMatchObject({ type: 'SECURITY_DISABLED' });
    await expect(admin.deleteAcls({ filters: [filter] })).rejects.toMatchObject({ type: 'SECURITY_DISABLED' });
  });
});

describe('OffsetForLeaderEpoch', () => {
  test('the one epoch that there is ends at the end of the log; others are unknown', async () => {
    await makeTopic('t');
    await produce('t', ['a', 'b']);
    const at = async (currentLeaderEpoch: number, leaderEpoch: number, index = 0) => {
      const topics = [{ name: 't', partitions: [{ index, currentLeaderEpoch, leaderEpoch }] }];
      const answer = await raw.call(apis.offsetForLeaderEpoch, 4, { replicaId: -1, topics });
      const { errorCode, endOffset, leaderEpoch: epoch } = answer.topics[0]!.partitions[0]!;
      return [errorCode, epoch, endOffset];
    };
    expect(await at(0, 0)).toEqual([0, 0, 2n]);
    expect(await at(-1, 0)).toEqual([0, 0, 2n]);
    expect(await at(0, 1)).toEqual([0, -1, -1n]);
    expect(await at(1, 0)).toEqual([errorCodes.UNKNOWN_LEADER_EPOCH, -1, -1n]);
    expect(await at(0, 0, 7)).toEqual([errorCodes.UNKNOWN_TOPIC_OR_PARTITION, -1, -1n]);
  });
});

describe('DescribeCluster', () => {
  test('names the one broker at the address that clients use, and what they may do when they ask', async () => {
    const describe = async (version: number, endpointType: number) =>
      raw.call(apis.describeCluster, version, {
        includeClusterAuthorizedOperations: true,
        endpointType,
        includeFencedBrokers: false,
      });
    expect(await describe(0, 1)).toMatchObject({
      errorCode: 0,
      clusterId: 'tickfold',
      controllerId: 1,
      brokers: [{ nodeId: 1, host: '127.0.0.1', port: running.port }],
      clusterAuthorizedOperations: 0b1_1111_1010_0000,
    });
    expect((await describe(1, 2)).errorCode).toBe(errorCodes.MISMATCHED_ENDPOINT_TYPE);
    expect((await describe(1, 3)).errorCode).toBe(errorCodes.UNSUPPORTED_ENDPOINT_TYPE);
  });
});

describe('OffsetDelete', () => {
  const forget = (groupId: string, name: string, ...indexes: number[]) => {
    const partitions = indexes.map((index) => ({ index }));
    return raw.call(apis.offsetDelete, 0, { groupId, topics: [{ name, partitions }] });
  };

  const commit = (name: string, ...indexes: number[]) => {
    const offset = { committedOffset: 0n, committedLeaderEpoch: -1, committedMetadata: null };
    const topics = [{ name, partitions: indexes.map((index) => ({ index, ...offset })) }];
    const sender = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n };
    return raw.call(apis.offsetCommit, 7, { ...sender, topics });
  };

  const committed = async (topic: string) => {
    const [answer] = await admin.fetchOffsets({ groupId: 'g', topics: [topic] });
    return answer!.partitions.map(({ offset }) => offset);
  };

  test('forgets single offsets of a group, for good', async () => {
    await makeTopic('t', 2);
    await commit('t', 0, 1);
    const { errorCode, topics } = await forget('g', 't', 1, 7);
    expect(errorCode).toBe(0);
    expect(topics[0]!.partitions).toEqual([
      { index: 1, errorCode: 0 },
      { index: 7, errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION },
    ]);
    expect(await committed('t')).toEqual(['0', '-1']);
    expect((await forget('nobody', 't', 0)).errorCode).toBe(errorCodes.GROUP_ID_NOT_FOUND);
  });

  test('leaves those of topics alone that a member of the group reads', async () => {
    await makeTopic('read');
    await makeTopic('other');
    for (const topic of ['read', 'other']) await commit(topic, 0);
    const consumer = running.kafka.consumer({ groupId: 'g' });
    await consumer.subscribe({ topic: 'read' });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => {} });
    await joined;
    const of = async (topic: string) => (await forget('g', topic, 0)).topics[0]!.partitions[0]!.errorCode;
    expect(await of('read')).toBe(errorCodes.GROUP_SUBSCRIBED_TO_TOPIC);
    expect(await of('other')).toBe(errorCodes.NONE);
    await consumer.disconnect();
    expect(await committed('read')).toEqual(['0']);
    expect(await committed('other')).toEqual(['-1']);
  });
});
