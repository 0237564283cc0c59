import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import type { CommittedOffset, LogEngine } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import type { GroupCoordinator } from '../groups/coordinator.ts';
import { type Route, route } from '../route.ts';

type CommitRequest = RequestOf<typeof apis.offsetCommit>;

const NO_OFFSET = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' };

/** Stores offsets with their text. Partitions that are refused do not keep the others from being stored. */
export function offsetCommitRoute(
  engine: LogEngine,
  coordinator: GroupCoordinator,
  { maxMetadataBytes }: { maxMetadataBytes: number },
): Route {
  const handle = async (request: CommitRequest) => {
    const groupError = coordinator.checkCommit(request.groupId, request);
    const accepted: CommittedOffset[] = [];
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, committedOffset, committedLeaderEpoch, committedMetadata }) => {
        const metadata = committedMetadata ?? '';
        const errorCode =
          groupError ||
          findPartition(engine, name, index).errorCode ||
          (Buffer.byteLength(metadata) > maxMetadataBytes && errorCodes.OFFSET_METADATA_TOO_LARGE) ||
          errorCodes.NONE;
        if (errorCode === errorCodes.NONE) {
          const leaderEpoch = committedLeaderEpoch;
          accepted.push({ topic: name, partition: index, offset: committedOffset, leaderEpoch, metadata });
        }
        return { index, errorCode };
      }),
    }));
    const storeError = await store(request.groupId, accepted);
    if (storeError === errorCodes.NONE) return { throttleTimeMs: 0, topics };
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index, errorCode }) => ({ index, errorCode: errorCode || storeError })),
      })),
    };
  };

  const store = async (groupId: string, offsets: CommittedOffset[]): Promise<number> => {
    if (offsets.length === 0) return errorCodes.NONE;
    try {
      await engine.commitOffsets(groupId, offsets);
      return errorCodes.NONE;
    } catch (error) {
      return kafkaErrorOf(error).errorCode;
    }
  };

  return route(apis.offsetCommit, handle);
}

/** Gives back what was committed; -1 where nothing was. */
export function offsetFetchRoute(engine: LogEngine): Route {
  const find = (groupId: string): { offsets: CommittedOffset[]; errorCode: number } => {
    try {
      return { offsets: engine.committedOffsets(groupId), errorCode: errorCodes.NONE };
    } catch (error) {
      return { offsets: [], errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return route(apis.offsetFetch, ({ groupId, topics }) => {
    const { offsets, errorCode } = find(groupId);
    const byTopic = new Map<string, Map<number, CommittedOffset>>();
    for (const committed of offsets) {
      const partitions = byTopic.get(committed.topic) ?? new Map<number, CommittedOffset>();
      byTopic.set(committed.topic, partitions.set(committed.partition, committed));
    }
    const wanted = topics ?? [...byTopic].map(([name, partitions]) => ({ name, partitions: [...partitions.keys()] }));
    return {
      throttleTimeMs: 0,
      topics: wanted.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((index) => {
          const found = byTopic.get(name)?.get(index);
          const committed =
            found === undefined
              ? NO_OFFSET
              : { committedOffset: found.offset, committedLeaderEpoch: found.leaderEpoch, metadata: found.metadata };
          return { index, ...committed, errorCode };
        }),
      })),
      errorCode,
    };
  });
}
