/** Topics and group offsets as they stand in a journal, and as callers see them. */
import type { CommittedOffset, TopicDescription } from './api.ts';
import type { OffsetRow, TopicRow } from './control-record.ts';

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
