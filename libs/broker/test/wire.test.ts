import {
  apis,
  decodeResponse,
  EARLIEST_TIMESTAMP,
  errorCodes,
  iterateBatches,
  LATEST_TIMESTAMP,
  RecordBatchBuilder,
  type ResponseOf,
} from '@tickfold/kafka-protocol';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
let client: RawClient;
const clients: RawClient[] = [];

beforeEach(async () => {
  running = await startTestBroker();
  client = await connected();
  await makeTopic('t', 2);
});

afterEach(async () => {
  for (const each of clients.splice(0)) each.close();
  await running.close();
});

async function connected(port = running.port): Promise<RawClient> {
  const made = await RawClient.connect(port);
  clients.push(made);
  return made;
}

async function makeTopic(name: string, partitionCount: number): Promise<number> {
  const topic = { name, partitionCount, replicationFactor: 1, assignments: [], configs: [] };
  const request = { topics: [topic], timeoutMs: 1000, validateOnly: false };
  return (await client.call(apis.createTopics, 4, request)).topics[0]!.errorCode;
}

function batchOf(...values: string[]): Buffer {
  const builder = new RecordBatchBuilder();
  values.forEach((value, i) => {
    builder.append(null, Buffer.from(value), 1000 + i, {});
  });
  return builder.finish({ baseOffset: 0n });
}

function produceRequest(batch: Buffer, { acks = -1, index = 0, topic = 't' } = {}) {
  const topics = [{ name: topic, partitions: [{ index, records: [batch] }] }];
  return { transactionalId: null, acks, timeoutMs: 1000, topics };
}

async function produce(batch: Buffer, options: { acks?: number; index?: number; topic?: string } = {}) {
  const response = await client.call(apis.produce, 8, produceRequest(batch, options));
  return response.topics[0]!.partitions[0]!;
}

interface FetchOptions {
  offsets?: bigint[];
  maxWaitMs?: number;
  minBytes?: number;
  maxBytes?: number;
  sessionId?: number;
}

function fetchRequest({
  offsets = [0n],
  maxWaitMs = 0,
  minBytes = 1,
  maxBytes = 1 << 20,
  sessionId = 0,
}: FetchOptions) {
  const partitions = offsets.map((fetchOffset, index) => ({
    index,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }));
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    sessionId,
    sessionEpoch: sessionId === 0 ? -1 : 1,
    topics: [{ name: 't', partitions }],
    forgottenTopics: [],
    rackId: '',
  };
}

async function fetch(options: FetchOptions = {}) {
  return partitionsOf(await client.call(apis.fetch, 11, fetchRequest(options)));
}

function partitionsOf(response: ResponseOf<typeof apis.fetch>) {
  return response.topics[0]!.partitions.map(({ index, errorCode, highWatermark, records }) => ({
    index,
    errorCode,
    highWatermark,
    values: records.flatMap(valuesOf),
  }));
}

function valuesOf(batches: Uint8Array): string[] {
  return [...iterateBatches(batches)].flatMap((batch) => [...batch.records()].map(({ value }) => value!.toString()));
}

describe('ApiVersions', () => {
  test('a client from the future is told, at version 0, which versions it may use', async () => {
    const frame = Buffer.from('000000090012006300000007ffff00', 'hex');
    frame.writeInt32BE(frame.length - 4, 0);
    client.socket.write(frame);
    const answer = apis.apiVersions.response.decode(0, (await client.frame()).subarray(4));
    expect(answer.errorCode).toBe(errorCodes.UNSUPPORTED_VERSION);
    expect(answer.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
  });

  test('lists the versions by which librdkafka chooses its features', async () => {
    const { apiKeys } = await client.call(apis.apiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' });
    const ranges = Object.fromEntries(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
    );
    expect(ranges).toEqual({
      [apis.produce.key]: [0, 12],
      [apis.fetch.key]: [4, 12],
      [apis.listOffsets.key]: [1, 7],
      [apis.metadata.key]: [0, 9],
      [apis.offsetCommit.key]: [2, 8],
      [apis.offsetFetch.key]: [1, 8],
      [apis.findCoordinator.key]: [0, 4],
      [apis.joinGroup.key]: [0, 9],
      [apis.heartbeat.key]: [0, 4],
      [apis.leaveGroup.key]: [0, 5],
      [apis.syncGroup.key]: [0, 5],
      [apis.describeGroups.key]: [0, 6],
      [apis.listGroups.key]: [0, 5],
      [apis.apiVersions.key]: [0, 4],
      [apis.createTopics.key]: [2, 7],
      [apis.deleteTopics.key]: [1, 6],
      [apis.initProducerId.key]: [0, 5],
      [apis.addPartitionsToTxn.key]: [0, 3],
      [apis.addOffsetsToTxn.key]: [0, 4],
      [apis.endTxn.key]: [0, 5],
      [apis.txnOffsetCommit.key]: [0, 5],
      [apis.deleteRecords.key]: [0, 2],
      [apis.offsetForLeaderEpoch.key]: [2, 4],
      [apis.describeAcls.key]: [1, 3],
      [apis.createAcls.key]: [1, 3],
      [apis.deleteAcls.key]: [1, 3],
      [apis.describeConfigs.key]: [1, 4],
      [apis.alterConfigs.key]: [0, 2],
      [apis.describeLogDirs.key]: [1, 4],
      [apis.createPartitions.key]: [0, 3],
      [apis.incrementalAlterConfigs.key]: [0, 1],
      [apis.offsetDelete.key]: [0, 0],
      [apis.describeClientQuotas.key]: [0, 1],
      [apis.describeUserScramCredentials.key]: [0, 0],
      [apis.alterUserScramCredentials.key]: [0, 0],
      [apis.describeCluster.key]: [0, 2],
      [apis.deleteGroups.key]: [0, 2],
      [apis.describeProducers.key]: [0, 0],
      [apis.describeTransactions.key]: [0, 0],
      [apis.listTransactions.key]: [0, 1],
      // Tickfold's own: other clients pass over keys that they do not know.
      [apis.createSnapshot.key]: [0, 1],
      [apis.adoptVolume.key]: [0, 0],
      [apis.deleteVolume.key]: [0, 0],
      [apis.describeVolumes.key]: [0, 0],
    });
  });
});

describe('Produce', () => {
  test.each([-1, 1])('with acks %i answers with the offset of the first record', async (acks) => {
    await produce(batchOf('a', 'b'), { acks });
    expect(await produce(batchOf('c'), { acks })).toMatchObject({ errorCode: 0, baseOffset: 2n, logStartOffset: 0n });
  });

  test('with acks 0 has no response, and its records are there', async () => {
    client.send(apis.produce, 8, produceRequest(batchOf('a'), { acks: 0 }));
    const [partition] = await fetch({ maxWaitMs: 20_000 });
    expect(partition!.values).toEqual(['a']);
  });

  test('requests that are sent without waiting keep their order', async () => {
    const values = Array.from({ length: 50 }, (_, i) => `v${i}`);
    for (const value of values) client.send(apis.produce, 8, produceRequest(batchOf(value)));
    for (const _ of values) await client.frame();
    expect((await fetch())[0]!.values).toEqual(values);
  });

  test.each([
    ['a topic that is not there', { topic: 'missing' }, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['a partition that is not there', { index: 2 }, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
    ['acks that do not exist', { acks: 2 }, errorCodes.INVALID_REQUIRED_ACKS],
  ])('to %s is refused', async (_what, options, errorCode) => {
    expect((await produce(batchOf('a'), options)).errorCode).toBe(errorCode);
  });

  test('of bytes that do not carry their own checksum is refused, and says so', async () => {
    const damaged = batchOf('abc');
    damaged[damaged.length - 2]! ^= 1;
    const { errorCode, errorMessage } = await produce(damaged);
    expect(errorCode).toBe(errorCodes.CORRUPT_MESSAGE);
    expect(errorMessage).not.toBeNull();
    expect((await fetch())[0]!.highWatermark).toBe(0n);
  });

  test('of records without a key to a compacted topic is refused, and says which records', async () => {
    const configs = [{ name: 'cleanup.policy', value: 'compact' }];
    const topic = { name: 'keyed', partitionCount: 1, replicationFactor: 1, assignments: [], configs };
    await client.call(apis.createTopics, 4, { topics: [topic], timeoutMs: 1000, validateOnly: false });
    const batchWith = (keys: (string | null)[]) => {
      const builder = new RecordBatchBuilder();
      for (const key of keys) builder.append(key === null ? null : Buffer.from(key), Buffer.from('v'), 1000, {});
      return builder.finish({ baseOffset: 0n });
    };
    const { errorCode, recordErrors } = await produce(batchWith(['a', null, 'b', null]), { topic: 'keyed' });
    expect(errorCode).toBe(errorCodes.INVALID_RECORD);
    expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3]);
    expect((await produce(batchWith(['a', 'b']), { topic: 'keyed' })).errorCode).toBe(errorCodes.NONE);
  });

  test('to a topic of append time gives records the time of their arrival, in the batch and in the answer', async () => {
    const configs = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
    const topic = { name: 'timed', partitionCount: 1, replicationFactor: 1, assignments: [], configs };
    await client.call(apis.createTopics, 4, { topics: [topic], timeoutMs: 1000, validateOnly: false });
    const beforeMs = Date.now();
    const { errorCode, logAppendTimeMs } = await produce(batchOf('a', 'b'), { topic: 'timed' });
    expect(errorCode).toBe(errorCodes.NONE);
    expect(Number(logAppendTimeMs)).toBeGreaterThanOrEqual(beforeMs);
    const { batches } = await running.engine.partition('timed', 0)!.read(0n, 1_000);
    const [batch] = [...iterateBatches(batches[0]!)];
    expect(batch!.crcIsValid()).toBe(true);
    expect([...batch!.records()].map(({ timestampMs }) => BigInt(timestampMs))).toEqual([
      logAppendTimeMs,
      logAppendTimeMs,
    ]);

    const damaged = batchOf('abc');
    damaged[damaged.length - 2]! ^= 1;
    expect((await produce(damaged, { topic: 'timed' })).errorCode).toBe(errorCodes.CORRUPT_MESSAGE);
  });

  test('of a control batch is refused: the broker alone writes these', async () => {
    const builder = new RecordBatchBuilder();
    builder.append(Buffer.from([0, 0, 0, 1]), null, 1000, {});
    const { errorCode } = await produce(builder.finish({ baseOffset: 0n, isControl: true }));
    expect(errorCode).toBe(errorCodes.INVALID_RECORD);
  });

  test('of a batch beyond max.message.bytes is refused', async () => {
    expect((await produce(batchOf('x'.repeat(1_100_000)))).errorCode).toBe(errorCodes.MESSAGE_TOO_LARGE);
  });

  test.each([0, 1, 2])(
    'of version %i, which carries older records, is refused for every partition',
    async (version) => {
      const response = await client.call(apis.produce, version, produceRequest(batchOf('a')));
      expect(response.topics[0]!.partitions[0]).toMatchObject({ index: 0, errorCode: errorCodes.UNSUPPORTED_VERSION });
    },
  );
});

describe('Fetch', () => {
  test('waits for data and answers as soon as it is there', async () => {
    const waiting = fetch({ maxWaitMs: 25_000 });
    const other = await connected();
    await other.call(apis.produce, 8, produceRequest(batchOf('a')));
    expect((await waiting)[0]).toMatchObject({ values: ['a'], highWatermark: 1n });
  });

  test('waits until there is as much as was asked for', async () => {
    const one = batchOf('x'.repeat(100));
    const waiting = fetch({ maxWaitMs: 25_000, minBytes: one.length * 3 });
    const other = await connected();
    for (let i = 0; i < 3; i++) await other.call(apis.produce, 8, produceRequest(one));
    expect((await waiting)[0]!.values).toHaveLength(3);
  });

  test('that waits for a topic learns at once that it was deleted', async () => {
    const waiting = fetch({ maxWaitMs: 25_000 });
    const other = await connected();
    await other.call(apis.deleteTopics, 1, { topics: [], topicNames: ['t'], timeoutMs: 1000 });
    expect((await waiting)[0]!.errorCode).toBe(errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('answers with nothing when the time is over', async () => {
    expect(await fetch({ maxWaitMs: 1 })).toEqual([{ index: 0, errorCode: 0, highWatermark: 0n, values: [] }]);
  });

  test('in the middle of a batch gives that whole batch', async () => {
    await produce(batchOf('a', 'b', 'c'));
    expect((await fetch({ offsets: [2n] }))[0]!.values).toEqual(['a', 'b', 'c']);
  });

  test('gives at least one batch however few bytes are asked for, of one partition', async () => {
    await produce(batchOf('a'));
    await produce(batchOf('b'), { index: 1 });
    const partitions = await fetch({ offsets: [0n, 0n], maxBytes: 1 });
    expect(partitions.flatMap(({ values }) => values)).toHaveLength(1);
  });

  test('begins with another partition each time, so that none starves', async () => {
    await produce(batchOf('a'));
    await produce(batchOf('b'), { index: 1 });
    const first = await fetch({ offsets: [0n, 0n], maxBytes: 1 });
    const second = await fetch({ offsets: [0n, 0n], maxBytes: 1 });
    expect([...first, ...second].flatMap(({ values }) => values).sort()).toEqual(['a', 'b']);
  });

  test('before the start or past the end of the log is an error, at once', async () => {
    await produce(batchOf('a'));
    const [before] = await fetch({ offsets: [-5n], maxWaitMs: 25_000 });
    const [past] = await fetch({ offsets: [2n], maxWaitMs: 25_000 });
    expect([before!.errorCode, past!.errorCode]).toEqual([
      errorCodes.OFFSET_OUT_OF_RANGE,
      errorCodes.OFFSET_OUT_OF_RANGE,
    ]);
  });

  test('of a session that does not exist says so, and no session is made', async () => {
    const response = await client.call(apis.fetch, 11, fetchRequest({ sessionId: 7 }));
    expect(response).toMatchObject({ errorCode: errorCodes.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 });
  });

  test('that waits is answered when the broker closes', async () => {
    // In one piece: once the first is answered, the fetch has begun.
    client.socket.cork();
    client.send(apis.apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '' });
    client.send(apis.fetch, 11, fetchRequest({ maxWaitMs: 25_000 }));
    client.socket.uncork();
    await client.frame();
    const [response] = await Promise.all([client.frame(), running.broker.close()]);
    expect(partitionsOf(decodeResponse(apis.fetch, 11, response))).toMatchObject([{ errorCode: 0, values: [] }]);
  });
});

describe('ListOffsets', () => {
  test('finds both ends, the first record at or after a time, and nothing after the last', async () => {
    await produce(batchOf('a', 'b', 'c'));
    const at = async (timestamp: bigint) => {
      const topics = [{ name: 't', partitions: [{ index: 0, currentLeaderEpoch: -1, timestamp }] }];
      const response = await client.call(apis.listOffsets, 5, { replicaId: -1, isolationLevel: 0, topics });
      const { offset, timestamp: found } = response.topics[0]!.partitions[0]!;
      return [offset, found];
    };
    expect(await at(EARLIEST_TIMESTAMP)).toEqual([0n, -1n]);
    expect(await at(LATEST_TIMESTAMP)).toEqual([3n, -1n]);
    expect(await at(0n)).toEqual([0n, 1000n]);
    expect(await at(1002n)).toEqual([2n, 1002n]);
    expect(await at(1003n)).toEqual([-1n, -1n]);
  });
});

describe('committed offsets', () => {
  const offsetsOfG = { groupId: 'g', topics: null, groups: [], requireStable: false };

  function commitRequest(partitions: { index: number; offset: bigint; metadata: string | null }[], name = 't') {
    return {
      groupId: 'g',
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1n,
      topics: [
        {
          name,
          partitions: partitions.map(({ index, offset, metadata }) => ({
            index,
            committedOffset: offset,
            committedLeaderEpoch: 0,
            committedMetadata: metadata,
          })),
        },
      ],
    };
  }

  test('come back with their text; a partition without one has -1', async () => {
    await client.call(apis.offsetCommit, 7, commitRequest([{ index: 0, offset: 5n, metadata: 'why, ünd so' }]));
    const wanted = { ...offsetsOfG, topics: [{ name: 't', partitions: [0, 1] }] };
    expect((await client.call(apis.offsetFetch, 5, wanted)).topics[0]!.partitions).toEqual([
      { index: 0, committedOffset: 5n, committedLeaderEpoch: 0, metadata: 'why, ünd so', errorCode: 0 },
      { index: 1, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
    ]);
    const all = await client.call(apis.offsetFetch, 5, offsetsOfG);
    expect(all.topics).toMatchObject([{ name: 't', partitions: [{ index: 0, committedOffset: 5n }] }]);
  });

  test('that are refused do not keep the others from being stored', async () => {
    const long = 'x'.repeat(5000);
    const request = commitRequest([
      { index: 0, offset: 1n, metadata: null },
      { index: 1, offset: 1n, metadata: long },
      { index: 9, offset: 1n, metadata: null },
    ]);
    const { topics } = await client.call(apis.offsetCommit, 7, request);
    expect(topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([
      errorCodes.NONE,
      errorCodes.OFFSET_METADATA_TOO_LARGE,
      errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    const all = await client.call(apis.offsetFetch, 5, offsetsOfG);
    expect(all.topics[0]!.partitions).toMatchObject([{ index: 0, committedOffset: 1n }]);
  });

  test('are shown to Prometheus with the lag behind what readers may see, under the names of kafka_exporter', async () => {
    await running.close();
    const metrics = new Registry();
    running = await startTestBroker();
    running.broker.registerMetrics(metrics);
    client = await connected();
    await makeTopic('t', 1);
    await produce(batchOf('a', 'b', 'c'));
    await client.call(apis.offsetCommit, 7, commitRequest([{ index: 0, offset: 1n, metadata: null }]));
    const text = await metrics.metrics();
    expect(text).toContain('kafka_topic_partition_current_offset{topic="t",partition="0"} 3');
    expect(text).toContain('kafka_topic_partition_oldest_offset{topic="t",partition="0"} 0');
    expect(text).toContain('kafka_consumergroup_current_offset{consumergroup="g",topic="t",partition="0"} 1');
    expect(text).toContain('kafka_consumergroup_lag{consumergroup="g",topic="t",partition="0"} 2');
    expect(text).toContain('kafka_consumergroup_lag_sum{consumergroup="g",topic="t"} 2');
    expect(text).toContain('kafka_consumergroup_current_offset_sum{consumergroup="g",topic="t"} 1');
    expect(text).toContain('kafka_consumergroup_members{consumergroup="g"} 0');
    expect(text).toContain(`kafka_broker_info{id="1",address="127.0.0.1:${running.port}"} 1`);
    expect(text).toContain('kafka_topic_partition_leader{topic="t",partition="0"} 1');
    for (const [name, value] of Object.entries({ leader_is_preferred: 1, replicas: 1, in_sync_replica: 1 })) {
      expect(text).toContain(`kafka_topic_partition_${name}{topic="t",partition="0"} ${value}`);
    }
    expect(text).toContain('kafka_topic_partition_under_replicated_partition{topic="t",partition="0"} 0');
  });
});

describe('Metadata', () => {
  const flags = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false };

  test('gives each listener its own address', async () => {
    await running.close();
    const common = { host: '127.0.0.1', port: 0 };
    running = await startTestBroker({
      listeners: [
        { name: 'host', ...common, advertisedHost: 'localhost' },
        { name: 'inside', ...common, advertisedHost: 'broker', advertisedPort: 9094 },
      ],
    });
    const [outside, inside] = running.broker.addresses;
    const seen = await Promise.all(
      [outside, inside].map(async (address) => {
        const through = await connected(address!.port);
        const request = { topics: [], allowAutoTopicCreation: false, ...flags };
        const { brokers } = await through.call(apis.metadata, 8, request);
        const coordinator = await through.call(apis.findCoordinator, 2, { key: 'g', keyType: 0, keys: [] });
        expect([coordinator.host, coordinator.port]).toEqual([brokers[0]!.host, brokers[0]!.port]);
        return `${brokers[0]!.host}:${brokers[0]!.port}`;
      }),
    );
    expect(seen).toEqual([`localhost:${outside!.port}`, 'broker:9094']);
  });

  test('makes a topic that is asked for by name, unless the client or the broker forbids it', async () => {
    const ask = async (name: string, allowAutoTopicCreation: boolean) => {
      const request = { topics: [{ name }], allowAutoTopicCreation, ...flags };
      const { errorCode, partitions } = (await client.call(apis.metadata, 8, request)).topics[0]!;
      return { errorCode, partitions: partitions.length };
    };
    const unknown = { errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, partitions: 0 };
    expect(await ask('new.topic', false)).toEqual(unknown);
    expect(await ask('new.topic', true)).toEqual({ errorCode: 0, partitions: 1 });
    expect(await ask('no/topic', true)).toEqual({ errorCode: errorCodes.INVALID_TOPIC_EXCEPTION, partitions: 0 });

    await running.close();
    running = await startTestBroker({ autoCreateTopics: false });
    client = await connected();
    expect(await ask('new.topic', true)).toEqual(unknown);
  });

  test('lists all topics where none is named: by null, and in version 0 by an empty list', async () => {
    const request = { allowAutoTopicCreation: false, ...flags };
    const names = async (version: number, topics: null | []) =>
      (await client.call(apis.metadata, version, { ...request, topics })).topics.map(({ name }) => name);
    expect(await names(8, null)).toEqual(['t']);
    expect(await names(0, [])).toEqual(['t']);
    expect(await names(1, [])).toEqual([]);
  });
});

describe('CreateTopics', () => {
  test.each([
    ['a name that exists', { name: 't' }, errorCodes.TOPIC_ALREADY_EXISTS],
    ['no partition', { partitionCount: 0 }, errorCodes.INVALID_PARTITIONS],
    ['more partitions than the limit', { partitionCount: 10_001 }, errorCodes.INVALID_PARTITIONS],
    ['two replicas', { replicationFactor: 2 }, errorCodes.INVALID_REPLICATION_FACTOR],
    ['a setting that does not exist', { configs: [{ name: 'no.such', value: '1' }] }, errorCodes.INVALID_CONFIG],
    ['a name that no topic can have', { name: 'a/b' }, errorCodes.INVALID_TOPIC_EXCEPTION],
  ])('%s is refused, and the message says why', async (_what, changes, errorCode) => {
    const topic = { name: 'new', partitionCount: 1, replicationFactor: 1, assignments: [], configs: [], ...changes };
    const request = { topics: [topic], timeoutMs: 1000, validateOnly: false };
    const [answer] = (await client.call(apis.createTopics, 4, request)).topics;
    expect(answer!.errorCode).toBe(errorCode);
    expect(answer!.errorMessage).not.toBe('');
  });
});
