import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import type { CommittedOffset, LogEngine } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import type { GroupCoordinator } from '../groups/coordinator.ts';
import type { OffsetExpiry } from '../groups/offset-expiry.ts';
import { type Route, route } from '../route.ts';
import { commitOffsets } from './commit-offsets.ts';

type AskedGroup = RequestOf<typeof apis.offsetFetch>['groups'][number];

const SEVERAL_GROUPS_SINCE = 8;
const NO_OFFSET = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: '' };

interface CommitParts {
  engine: LogEngine;
  coordinator: GroupCoordinator;
  expiry: OffsetExpiry;
  maxMetadataBytes: number;
}

/** Stores offsets with their text. */
export function offsetCommitRoute({ engine, coordinator, expiry, maxMetadataBytes }: CommitParts): Route {
  return route(apis.offsetCommit, async (request) => {
    const groupError = coordinator.checkCommit(request.groupId, request);
    const errorOf = (topic: string, index: number, metadata: string) =>
      groupError ||
      findPartition(engine, topic, index).errorCode ||
      (Buffer.byteLength(metadata) > maxMetadataBytes ? errorCodes.OFFSET_METADATA_TOO_LARGE : errorCodes.NONE);
    const store = (offsets: CommittedOffset[]) => {
      expiry.touch(request.groupId);
      return engine.commitOffsets(request.groupId, offsets);
    };
    return { throttleTimeMs: 0, topics: await commitOffsets(request.topics, errorOf, store) };
  });
}

/** Gives back what was committed; -1 where nothing was. */
export function offsetFetchRoute(engine: LogEngine): Route {
  const fetch = ({ groupId, topics }: AskedGroup, requireStable: boolean) => {
    const { offsets, pending, errorCode } = find(groupId);
    const byTopic = new Map<string, Map<number, CommittedOffset>>();
    for (const committed of offsets) {
      const partitions = byTopic.get(committed.topic) ?? new Map<number, CommittedOffset>();
      byTopic.set(committed.topic, partitions.set(committed.partition, committed));
    }
    const isUnstable = (name: string, index: number) =>
      requireStable && pending.some(({ topic, partition }) => topic === name && partition === index);
    const wanted = topics ?? [...byTopic].map(([name, partitions]) => ({ name, partitions: [...partitions.keys()] }));
    return {
      groupId,
      topics: wanted.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((index) => {
          if (isUnstable(name, index)) return { index, ...NO_OFFSET, errorCode: errorCodes.UNSTABLE_OFFSET_COMMIT };
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
  };

  const find = (groupId: string) => {
    try {
      const offsets = engine.committedOffsets(groupId);
      return { offsets, pending: engine.unstableOffsets(groupId), errorCode: errorCodes.NONE };
    } catch (error) {
      return { offsets: [], pending: [], errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return route(apis.offsetFetch, ({ groupId, topics, groups, requireStable }, { version }) => {
    if (version >= SEVERAL_GROUPS_SINCE) {
      const answers = groups.map((group) => fetch(group, requireStable));
      return { throttleTimeMs: 0, topics: [], errorCode: errorCodes.NONE, groups: answers };
    }
    return { throttleTimeMs: 0, ...fetch({ groupId, topics }, requireStable), groups: [] };
  });
}
