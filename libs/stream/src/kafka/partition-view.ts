import type { RecordChunk } from '../api.ts';
import type { PartitionView } from '../last-record.ts';
import { byLeader, type Cluster } from './cluster.ts';
import { type FetchedPartition, KafkaChunk } from './kafka-chunk.ts';
import { stableEndsOf, startsOf } from './offsets.ts';

const READ_COMMITTED = 1;
const BATCH_BYTES = 1024 * 1024;

/** Looks at one partition here and there; the cluster knows its topic. */
export async function viewPartition(cluster: Cluster, topic: string, partition: number): Promise<PartitionView> {
  const place = { topic, partition };
  const [[start], [end]] = await Promise.all([startsOf(cluster, [place]), stableEndsOf(cluster, [place])]);
  const high = end!.offset;
  const batchAt = async (offset: bigint): Promise<RecordChunk | undefined> => {
    if (offset >= high) return undefined;
    const [nodeId] = [...byLeader(cluster, [place]).keys()];
    const broker = await cluster.findBroker({ nodeId: nodeId! });
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: BATCH_BYTES }];
    const request = { isolationLevel: READ_COMMITTED, maxWaitTime: 0, maxBytes: BATCH_BYTES };
    const { responses } = await broker.fetch({ ...request, topics: [{ topic, partitions }] });
    const fetched: FetchedPartition = responses[0].partitions[0];
    return fetched.messages.length === 0 ? undefined : new KafkaChunk(topic, offset, fetched, 'committed');
  };
  return { logStart: start!.offset, high, batchAt };
}
