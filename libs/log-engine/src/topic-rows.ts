/** Topics and group offsets as they stand in a journal, and as callers see them. */

import { randomBytes } from 'node:crypto';
import type { CommittedOffset, TopicChange, TopicDescription, TopicOptions } from './api.ts';
import type { ControlRecord, OffsetRow, TopicRow } from './control-record.ts';
import { EngineError } from './errors.ts';
import type { JournalState } from './journal-state.ts';
import { checkPartitionCount, checkTopicSettings } from './topic-settings.ts';

export function describeTopic(volume: string, row: TopicRow): TopicDescription {
  return {
    name: row.name,
    volume,
    id: Buffer.from(row.id, 'hex'),
    partitionCount: row.partitionIds.length,
    settings: row.settings,
  };
}

export function committedOffset([topic, partition, offset, leaderEpoch, metadata]: OffsetRow): CommittedOffset {
  return { topic, partition, offset: BigInt(offset), leaderEpoch, metadata };
}

export function offsetRow({ topic, partition, offset, leaderEpoch, metadata }: CommittedOffset): OffsetRow {
  return [topic, partition, String(offset), leaderEpoch, metadata];
}

/** What makes a group forget these positions; without any: all that it has. */
export function offsetDeletion(
  group: string,
  partitions: readonly { topic: string; partition: number }[] | undefined,
): ControlRecord {
  if (partitions === undefined) return { kind: 'offsets-deleted', group };
  return {
    kind: 'partition-offsets-deleted',
    group,
    partitions: partitions.map(({ topic, partition }) => [topic, partition]),
  };
}

type Created = Extract<ControlRecord, { kind: 'topic-created' }>;
type Altered = Extract<ControlRecord, { kind: 'topic-altered' }>;

/**
 * What is asked of a new topic, checked; gives the way to its record, from the state when that has its turn.
 * @throws EngineError `illegal-setting`; the record: `topic-exists`
 */
export function topicCreation(name: string, options: TopicOptions): (state: JournalState) => Created {
  checkPartitionCount(options.partitionCount);
  const settings = { ...options.settings };
  checkTopicSettings(settings);
  return (state) => {
    if (state.topics.has(name)) throw new EngineError('topic-exists', `topic ${name} is there already`);
    const partitionIds = newPartitionIds(state, options.partitionCount);
    return { kind: 'topic-created', name, id: randomBytes(16).toString('hex'), partitionIds, settings };
  };
}

/**
 * As `topicCreation`, of a topic that is there.
 * @throws EngineError `illegal-setting`; the record: `unknown-topic`, `illegal-setting`
 */
export function topicAlteration(name: string, change: TopicChange): (state: JournalState) => Altered {
  if (change.partitionCount !== undefined) checkPartitionCount(change.partitionCount);
  if (change.settings !== undefined) checkTopicSettings(change.settings);
  return (state) => {
    const row = state.topics.get(name);
    if (row === undefined) throw unknownTopic(name);
    const { length } = row.partitionIds;
    const partitionCount = change.partitionCount ?? length;
    if (partitionCount < length) {
      throw new EngineError(
        'illegal-setting',
        `topic ${name} has ${length} partitions; it can get more, but not go down to ${partitionCount}`,
      );
    }
    return {
      kind: 'topic-altered',
      ...row,
      partitionIds: [...row.partitionIds, ...newPartitionIds(state, partitionCount - length)],
      settings: { ...(change.settings ?? row.settings) },
    };
  };
}

export function unknownTopic(name: string): EngineError {
  return new EngineError('unknown-topic', `there is no topic ${name}`);
}

function newPartitionIds(state: JournalState, count: number): number[] {
  return Array.from({ length: count }, (_, i) => state.nextPartitionId + i);
}
