import { EngineError } from './errors.ts';

/** Kafka's own default: one mebibyte and the overhead of one batch. */
const DEFAULT_MAX_BATCH_BYTES = 1_048_588;
const LARGEST_BATCH_BYTES = 64 * 1024 * 1024;
const MAX_PARTITIONS = 10_000;

interface Rule {
  accepts: (value: string) => boolean;
  limit: string;
}

/** Kafka's names. All are kept and described; the engine itself acts on `max.message.bytes` so far. */
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
  'message.timestamp.type': oneOf('CreateTime'),
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

/** Bytes that one batch of a topic with these settings may have. */
export function maxBatchBytes(settings: Readonly<Record<string, string>>): number {
  const value = settings['max.message.bytes'];
  return value === undefined ? DEFAULT_MAX_BATCH_BYTES : Number(value);
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
