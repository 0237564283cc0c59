import { configTypes } from '@tickfold/kafka-protocol';

/** A setting of topics: what it is worth where the topic says nothing, and what this engine makes of it. */
export interface TopicConfig {
  value: string;
  type: number;
  documentation: string;
  /** The broker's setting that gives the default; left out where there is none. */
  brokerName?: string;
}

const { int, long, double, string, list } = configTypes;
const KEPT = 'Kept and shown; nothing depends on it here.';
const LOG_WIDE = "Kept and shown. Segments belong to a volume's journal, which all topics of the volume share.";

/** Every setting that the engine takes, under Kafka's names. A value is what the engine does where nothing is set. */
export const topicConfigs: ReadonlyMap<string, TopicConfig> = new Map(
  Object.entries({
    'cleanup.policy': {
      value: 'delete',
      type: list,
      documentation: 'delete: records go by age and size. compact: the last record of each key stays.',
      brokerName: 'log.cleanup.policy',
    },
    'compression.type': {
      value: 'producer',
      type: string,
      documentation: 'Kept and shown. Batches are stored as their producer compressed them.',
      brokerName: 'compression.type',
    },
    'delete.retention.ms': {
      value: '86400000',
      type: long,
      documentation: 'How long compaction keeps a record that deletes its key.',
      brokerName: 'log.cleaner.delete.retention.ms',
    },
    'file.delete.delay.ms': { value: '60000', type: long, documentation: KEPT },
    'flush.messages': {
      value: '1',
      type: long,
      documentation: 'Kept and shown. What is acknowledged with acks=all is synced to the disk, always.',
    },
    'flush.ms': { value: '0', type: long, documentation: KEPT },
    'index.interval.bytes': { value: '4096', type: int, documentation: KEPT },
    'max.compaction.lag.ms': { value: '9223372036854775807', type: long, documentation: KEPT },
    'max.message.bytes': {
      value: '1048588',
      type: int,
      documentation: 'Most bytes of one record batch.',
      brokerName: 'message.max.bytes',
    },
    'message.timestamp.after.max.ms': { value: '9223372036854775807', type: long, documentation: KEPT },
    'message.timestamp.before.max.ms': { value: '9223372036854775807', type: long, documentation: KEPT },
    'message.timestamp.type': {
      value: 'CreateTime',
      type: string,
      documentation:
        'CreateTime: records keep the time that their producer gave them; LogAppendTime: they get that of their arrival.',
      brokerName: 'log.message.timestamp.type',
    },
    'min.cleanable.dirty.ratio': {
      value: '0.5',
      type: double,
      documentation: 'Compaction begins where so much of a partition has not been compacted yet.',
      brokerName: 'log.cleaner.min.cleanable.ratio',
    },
    'min.compaction.lag.ms': {
      value: '0',
      type: long,
      documentation: 'Compaction leaves younger records alone.',
      brokerName: 'log.cleaner.min.compaction.lag.ms',
    },
    'min.insync.replicas': {
      value: '1',
      type: int,
      documentation: 'There is one broker, so it is 1.',
      brokerName: 'min.insync.replicas',
    },
    'retention.bytes': {
      value: '-1',
      type: long,
      documentation: "How much of a partition stays; -1: no limit but the volume's quota.",
      brokerName: 'log.retention.bytes',
    },
    'retention.ms': {
      value: '-1',
      type: long,
      documentation: "How long records stay, by the time of their append; -1: no limit but the volume's quota.",
      brokerName: 'log.retention.ms',
    },
    'segment.bytes': { value: '67108864', type: int, documentation: LOG_WIDE },
    'segment.ms': {
      value: '9223372036854775807',
      type: long,
      documentation: 'A segment that holds records of this topic is sealed when it is this old.',
    },
  }),
);
