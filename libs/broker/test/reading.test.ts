import { randomBytes } from 'node:crypto';
import { apis, iterateBatches, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { expect, test } from 'vitest';
import { RawClient, startTestBroker } from './harness.ts';

const BATCH_BYTES = 100_000;
/** More than the engine keeps in memory of what was appended: most of it is read from the files. */
const BATCH_COUNT = 250;

function randomBatch(): Buffer {
  const builder = new RecordBatchBuilder(BATCH_BYTES + 200);
  builder.append(null, randomBytes(BATCH_BYTES), 0);
  return builder.finish();
}

function requestFrom(fetchOffset: bigint) {
  const partition = {
    index: 0,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  };
  return {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 24,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ name: 't', partitions: [partition] }],
    forgottenTopics: [],
    rackId: '',
  };
}

async function read(client: RawClient, fetchOffset: bigint): Promise<bigint[]> {
  const answer = await client.call(apis.fetch, 11, requestFrom(fetchOffset));
  return answer.topics[0]!.partitions[0]!.records.flatMap((bytes) =>
    [...iterateBatches(bytes)].map((batch) => {
      if (!batch.crcIsValid()) throw new Error(`a batch behind offset ${fetchOffset} is damaged`);
      return batch.header.baseOffset;
    }),
  );
}

/** Offsets of all batches, from the log's beginning on. */
async function readAll(client: RawClient): Promise<bigint[]> {
  const offsets: bigint[] = [];
  while (offsets.length < BATCH_COUNT) offsets.push(...(await read(client, BigInt(offsets.length))));
  return offsets;
}

test('answers that a client does not take yet stay whole while others are read for', async () => {
  const broker = await startTestBroker();
  await broker.engine.createTopic('t', { partitionCount: 1 });
  const log = broker.engine.partition('t', 0)!;
  await Promise.all(Array.from({ length: BATCH_COUNT }, () => log.append(randomBatch(), 'synced')));
  const [slow, ...others] = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(broker.port)));

  slow!.socket.pause();
  // More than the system keeps for a connection, so some of it waits at the broker.
  const taken = Array.from({ length: 12 }, (_, i) => read(slow!, BigInt(i * 10)));
  const all = Array.from({ length: BATCH_COUNT }, (_, i) => BigInt(i));
  expect(await Promise.all(others.map(readAll))).toEqual(others.map(() => all));
  slow!.socket.resume();
  expect(await Promise.all(taken)).toEqual(Array.from({ length: 12 }, (_, i) => all.slice(i * 10, i * 10 + 10)));

  for (const client of [slow!, ...others]) client.close();
  await broker.close();
});
