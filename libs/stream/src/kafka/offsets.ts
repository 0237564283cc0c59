import { byLeader, byTopic, type Cluster } from './cluster.ts';

interface Place {
  topic: string;
  partition: number;
}

type Found = Place & { offset: bigint };

const EARLIEST = '-2';
const LATEST = '-1';

/** Where the log of each partition starts. */
export function startsOf(cluster: Cluster, partitions: readonly Place[]): Promise<Found[]> {
  return listOffsets(cluster, partitions, EARLIEST, 0);
}

/** Up to where each partition can be read without what open transactions may still take back. */
export function stableEndsOf(cluster: Cluster, partitions: readonly Place[]): Promise<Found[]> {
  return listOffsets(cluster, partitions, LATEST, 1);
}

/** The first offset at or after a time; -1 where none follows. */
export function offsetsFrom(cluster: Cluster, partitions: readonly Place[], timestampMs: number): Promise<Found[]> {
  return listOffsets(cluster, partitions, String(timestampMs), 0);
}

/** @returns in the order asked; the cluster must know the topics */
async function listOffsets(
  cluster: Cluster,
  partitions: readonly Place[],
  timestamp: string,
  isolationLevel: 0 | 1,
): Promise<Found[]> {
  const answers = await Promise.all(
    [...byLeader(cluster, partitions)].map(async ([nodeId, led]) => {
      const broker = await cluster.findBroker({ nodeId });
      const topics = byTopic(led).map(({ topic, partitions: ofTopic }) => ({
        topic,
        partitions: ofTopic.map(({ partition }) => ({ partition, timestamp })),
      }));
      return (await broker.listOffsets({ isolationLevel, topics })).responses;
    }),
  );
  const found = new Map<string, bigint>();
  for (const { topic, partitions: ofTopic } of answers.flat()) {
    for (const { partition, offset } of ofTopic) found.set(`${topic}/${partition}`, BigInt(offset));
  }
  return partitions.map(({ topic, partition }) => ({ topic, partition, offset: found.get(`${topic}/${partition}`)! }));
}
