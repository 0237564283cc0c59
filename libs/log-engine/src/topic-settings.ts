import { EngineError } from './errors.ts';

/** Kafka's own default: one mebibyte and the overhead of one batch. */
const DEFAULT_MAX_BATCH_BYTES = 1_048_588;
const LARGEST_BATCH_BYTES = 64 * 1024 * 1024;
const MAX_PARTITIONS = 10_000;

interface Rule {
  accepts: (value: string) => boolean;
  limit: string;
}

/** Kafka's names. All are kept and described; `TopicPolicy` has those that the engine itself acts on. */
const RULES: Readonly<Record<string, Rule>> = {
  'cleanup.policy': oneOf('delete', 'compact', 'compact,delete', 'delete,compact'),
  'compression.type': oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  'delete.retention.ms': integer(0),
  'file.delete.delay.ms': integer(0),
  'flush.messages': integer(1),
  'flush.ms': integer(0),
  'index.interval.bytes': integer(0),
  'max.compaction.lag.ms': integer(1),
  'max.message.bytes': integer(61, LARGEST_BATCH_BYTES),
  'message.timestamp.after.max.ms': integer(0),
  'message.timestamp.before.max.ms': integer(0),
  'message.timestamp.type': oneOf('CreateTime', 'LogAppendTime'),
  'min.cleanable.dirty.ratio': { accepts: (value) => /^(0(\.\d+)?|1(\.0+)?)$/.test(value), limit: 'from 0 to 1' },
  'min.compaction.lag.ms': integer(0),
  'min.insync.replicas': integer(1, 1),
  'retention.bytes': integer(-1),
  'retention.ms': integer(-1),
  'segment.bytes': integer(14),
  'segment.ms': integer(1),
};

/** @throws EngineError `illegal-setting` that names the setting, its value and the limit. */
export function checkTopicSettings(settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    if (rule === undefined) throw new EngineError('illegal-setting', `"${name}" is no setting of a topic`);
    if (!rule.accepts(value)) {
      throw new EngineError('illegal-setting', `${name} is "${value}" but must be ${rule.limit}`);
    }
  }
}

/** @throws EngineError `illegal-setting` */
export function checkPartitionCount(partitionCount: number): void {
  if (!Number.isInteger(partitionCount) || partitionCount < 1 || partitionCount > MAX_PARTITIONS) {
    throw new EngineError(
      'illegal-setting',
      `the number of partitions is ${partitionCount} but must be a whole number from 1 to ${MAX_PARTITIONS}`,
    );
  }
}

/** What a topic's settings ask of the engine. Infinity stands for no limit. */
export interface TopicPolicy {
  /** Bytes that one batch may have. */
  maxBatchBytes: number;
  /** Only the last value of a key is kept for good; the quota takes nothing else away. */
  isCompacted: boolean;
  /** How long records stay, by the time of their append. */
  retentionMs: number;
  /** How much of a partition stays. */
  retentionBytes: number;
  /** A segment that is appended to ends when it is this old. */
  segmentMs: number;
  /** Compaction leaves younger records alone. */
  minCompactionLagMs: number;
  /** How long compaction keeps a record that deletes its key. */
  deleteRetentionMs: number;
  /** Compaction begins where so much of a partition has not been compacted yet. */
  minDirtyRatio: number;
}

const DEFAULT_DELETE_RETENTION_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MIN_DIRTY_RATIO = 0.5;

/** @param settings checked ones */
export function topicPolicy(settings: Readonly<Record<string, string>>): TopicPolicy {
  const policies = (settings['cleanup.policy'] ?? 'delete').split(',');
  const number = (name: string, otherwise: number): number => Number(settings[name] ?? otherwise);
  const limit = (name: string): number => {
    const value = policies.includes('delete') ? number(name, -1) : -1;
    return value < 0 ? Number.POSITIVE_INFINITY : value;
  };
  return {
    maxBatchBytes: number('max.message.bytes', DEFAULT_MAX_BATCH_BYTES),
    isCompacted: policies.includes('compact'),
    retentionMs: limit('retention.ms'),
    retentionBytes: limit('retention.bytes'),
    segmentMs: number('segment.ms', Number.POSITIVE_INFINITY),
    minCompactionLagMs: number('min.compaction.lag.ms', 0),
    deleteRetentionMs: number('delete.retention.ms', DEFAULT_DELETE_RETENTION_MS),
    minDirtyRatio: number('min.cleanable.dirty.ratio', DEFAULT_MIN_DIRTY_RATIO),
  };
}

function oneOf(...values: string[]): Rule {
  return { accepts: (value) => values.includes(value), limit: `one of ${values.join(', ')}` };
}

function integer(min: number, max = Infinity): Rule {
  return {
    accepts: (value) => /^-?\d{1,19}$/.test(value) && Number(value) >= min && Number(value) <= max,
    limit: max === Infinity ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
  };
}
