import {
  copySnapshot,
  EngineError,
  type LogEngine,
  openStaged,
  PartitionCopy,
  volumeOfGroup,
  volumeOfSnapshot,
  volumeOfTopic,
} from '@tickfold/log-engine';
import type { SnapshotInfo, StreamClient, VolumeAdmin, VolumeInfo, Watermark } from '@tickfold/stream';
import { volumeErrorOf } from './engine-errors.ts';
import { offsetRows } from './in-process-admin.ts';
import { moveIntoCluster } from './move-into-cluster.ts';

interface Topic {
  name: string;
  partitionCount: number;
}

/** What of a volume is to be copied: as it is now, and all of it is there for good. */
interface Cut {
  topics: (Topic & { watermarks: Watermark[] })[];
  offsets: { group: string; topic: string; offsets: Map<number, bigint> }[];
}

/**
 * Volumes whose streams are on an Apache Kafka cluster. Snapshots are copies in the data folder, in the format of the
 * embedded engine, so that whoever reads one needs no cluster; what was staged in the data folder is written to the
 * cluster in one transaction.
 */
export class ClusterVolumes implements VolumeAdmin {
  readonly #client: StreamClient;
  readonly #dataDir: string;

  constructor(client: StreamClient, dataDir: string) {
    this.#client = client;
    this.#dataDir = dataDir;
  }

  list(): Promise<VolumeInfo[]> {
    return this.#client.volumes.list();
  }

  /**
   * Exact for each partition: what is committed, from its start to its end of now, at the same offsets. The partitions'
   * ends are asked for at once, but a cluster has no moment that is the same for all of them.
   */
  createSnapshot(
    name: string,
    pins: Readonly<Record<string, unknown>>,
    others: readonly string[] = [],
  ): Promise<SnapshotInfo> {
    return refusedByVolumes(async () => {
      const volumes = new Set([volumeOfSnapshot(name), ...others]);
      const fill = async (engine: LogEngine): Promise<void> => this.#copyInto(engine, await this.#cut(volumes));
      return copySnapshot(this.#dataDir, { name, others, pins, fill });
    });
  }

  adopt(stagingId: string): Promise<void> {
    return refusedByVolumes(async () => {
      const staged = await openStaged(this.#dataDir, stagingId);
      try {
        await moveIntoCluster(this.#client, staged);
      } finally {
        await staged.close();
      }
    });
  }

  delete(name: string): Promise<void> {
    return this.#client.volumes.delete(name);
  }

  /** Offsets of groups before the ends: so no group is further than the records that it wrote. */
  async #cut(volumes: ReadonlySet<string>): Promise<Cut> {
    const { admin } = this.#client;
    const all = await admin.topics();
    const topics = all.filter(({ name }) => volumes.has(volumeOfTopic(name)));
    for (const volume of volumes) {
      if (!topics.some(({ name }) => volumeOfTopic(name) === volume)) {
        throw new EngineError('unknown-volume', `there is no volume ${volume}`);
      }
    }
    const groups = (await admin.groups()).filter((group) => volumes.has(volumeOfGroup(group)));
    const offsets = await Promise.all(
      groups.flatMap((group) =>
        all.map(async ({ name }) => ({ group, topic: name, offsets: await admin.committedOffsets(group, name) })),
      ),
    );
    const watermarks = await Promise.all(topics.map(({ name }) => admin.watermarks(name)));
    return {
      topics: topics.map((topic, i) => ({ ...topic, watermarks: watermarks[i]! })),
      offsets: offsets.filter((each) => each.offsets.size > 0),
    };
  }

  async #copyInto(engine: LogEngine, { topics, offsets }: Cut): Promise<void> {
    const open = new Map<string, OpenCopy>();
    for (const { name, partitionCount, watermarks } of topics) {
      await engine.createTopic(name, { partitionCount });
      for (const { partition, logStart, high } of watermarks) {
        const copy = new PartitionCopy(engine.partition(name, partition)!);
        await copy.beginAt(logStart);
        if (logStart === high) continue;
        open.set(placeOf(name, partition), { topic: name, partition, offset: logStart, end: high, copy });
      }
    }
    await this.#fill(open);
    for (const { group, topic, offsets: committed } of offsets) {
      await engine.commitOffsets(group, offsetRows(topic, committed));
    }
  }

  /** One reader for all: each would make connections of its own. */
  async #fill(open: Map<string, OpenCopy>): Promise<void> {
    if (open.size === 0) return;
    for await (const chunk of this.#client.consumer({ assignments: [...open.values()] })) {
      const place = placeOf(chunk.topic, chunk.partition);
      const found = open.get(place);
      if (found === undefined) continue;
      const { copy, end } = found;
      for (const record of chunk.records()) {
        if (record.offset >= end) break;
        const full = copy.add(record);
        if (full !== undefined) await full;
      }
      if (chunk.nextOffset < end) continue;
      await copy.endAt(end);
      open.delete(place);
      if (open.size === 0) return;
    }
  }
}

/** A partition that is not copied to its end yet. */
interface OpenCopy {
  topic: string;
  partition: number;
  /** To start from. */
  offset: bigint;
  end: bigint;
  copy: PartitionCopy;
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

async function refusedByVolumes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw volumeErrorOf(error);
  }
}
