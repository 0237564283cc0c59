import { EngineError, type FinishedStaging, volumeOfTopic } from '@tickfold/log-engine';
import type { GroupOffsets, StreamClient, TransactionalProducer } from '@tickfold/stream';
import { inProcessClient } from './in-process-client.ts';
import { readRange } from './read-range.ts';

/** The longest that Kafka's brokers allow, unless told otherwise. */
const TRANSACTION_TIMEOUT_MS = 900_000;

/**
 * Writes a staged volume into a cluster, in one transaction: its topics appear first, and then all of its records with the
 * offsets of its groups, or none. Topics that are left of an attempt that was killed are taken over.
 * @throws EngineError `volume-exists`
 */
export async function moveIntoCluster(client: StreamClient, { volume, engine }: FinishedStaging): Promise<void> {
  const transactionalId = `${volume}.adoption`;
  const open = () => client.transactionalProducer({ transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS });
  // It shuts out whoever adopts a volume of this name at the same time, so that what is there is what there will be.
  const producer = await open();
  try {
    await mustBeFree(client, volume);
    const topics = engine.topics().map(({ name, partitionCount }) => ({ name, partitionCount }));
    await client.admin.ensureTopics(topics);
    try {
      for (const topic of topics) await sendAll(producer, inProcessClient(engine), topic);
      await producer.commit(offsetsOf(engine));
    } catch (error) {
      await producer.abort().catch(() => undefined);
      await client.volumes.delete(volume).catch(() => undefined);
      throw error;
    }
  } finally {
    await producer.close().catch(() => undefined);
  }
  // A commit is seen a moment after it is decided, and opening a producer of the same id waits for that.
  await (await open()).close();
}

/** @throws EngineError `volume-exists` */
async function mustBeFree({ admin }: StreamClient, volume: string): Promise<void> {
  const topics = (await admin.topics()).filter(({ name }) => volumeOfTopic(name) === volume);
  for (const { name } of topics) {
    const isEmpty = (await admin.watermarks(name)).every(({ logStart, high }) => logStart === high);
    if (!isEmpty) throw new EngineError('volume-exists', `there is a volume ${volume} already`);
  }
}

async function sendAll(
  producer: TransactionalProducer,
  staged: StreamClient,
  { name: topic, partitionCount }: { name: string; partitionCount: number },
): Promise<void> {
  for (let partition = 0; partition < partitionCount; partition++) {
    for await (const chunk of readRange(staged, { topic, partition })) {
      for (const record of chunk.records()) {
        const { key, value, timestampMs } = record;
        const headers = Object.fromEntries(record.headers().map((each) => [each.key, String(record.header(each.key))]));
        const full = producer.send({ topic, partition, key, value, timestampMs, headers });
        if (full !== undefined) await full;
      }
    }
  }
}

function offsetsOf(engine: FinishedStaging['engine']): GroupOffsets[] {
  const found = new Map<string, { group: string; topic: string; offsets: Map<number, bigint> }>();
  for (const group of engine.groupsWithOffsets()) {
    for (const { topic, partition, offset } of engine.committedOffsets(group)) {
      const id = JSON.stringify([group, topic]);
      const entry = found.get(id) ?? { group, topic, offsets: new Map<number, bigint>() };
      entry.offsets.set(partition, offset);
      found.set(id, entry);
    }
  }
  return [...found.values()];
}
