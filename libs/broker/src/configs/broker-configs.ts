import { configTypes } from '@tickfold/kafka-protocol';
import {
  DEFAULT_GROUP_SETTINGS,
  DEFAULT_LIMITS,
  DEFAULT_PARTITION_COUNT,
  type GroupSettings,
  type Limits,
  NODE_ID,
} from '../options.ts';
import { topicConfigs } from './topic-configs.ts';

/** What somebody may want to know of the running broker. */
export interface BrokerSettings {
  limits: Limits;
  groupSettings: GroupSettings;
  autoCreateTopics: boolean;
  defaultPartitionCount: number;
}

export interface BrokerConfig {
  value: string;
  type: number;
  /** Whether it is as it is where the operator says nothing. */
  isDefault: boolean;
  documentation: string;
}

const DEFAULTS: BrokerSettings = {
  limits: DEFAULT_LIMITS,
  groupSettings: DEFAULT_GROUP_SETTINGS,
  autoCreateTopics: true,
  defaultPartitionCount: DEFAULT_PARTITION_COUNT,
};

interface Row {
  type: number;
  documentation: string;
  read: (settings: BrokerSettings) => string | number | boolean;
}

const { boolean, int, long } = configTypes;

/** Under Kafka's names, as this broker behaves. */
const rows: Readonly<Record<string, Row>> = {
  'auto.create.topics.enable': {
    type: boolean,
    documentation: 'Makes a topic that a client asks for by name.',
    read: (settings) => settings.autoCreateTopics,
  },
  'broker.id': { type: int, documentation: 'There is one broker.', read: () => NODE_ID },
  'connections.max.idle.ms': {
    type: long,
    documentation: 'A connection without any byte in or out for so long is ended.',
    read: ({ limits }) => limits.idleMs,
  },
  'default.replication.factor': { type: int, documentation: 'There is one broker.', read: () => 1 },
  'delete.topic.enable': { type: boolean, documentation: 'Topics can be deleted.', read: () => true },
  'fetch.max.bytes': {
    type: int,
    documentation: 'Most record bytes of one answer to a fetch.',
    read: ({ limits }) => limits.fetchBytes,
  },
  'group.initial.rebalance.delay.ms': {
    type: int,
    documentation: 'How long the first generation of a group waits for more members.',
    read: ({ groupSettings }) => groupSettings.initialRebalanceDelayMs,
  },
  'group.max.session.timeout.ms': {
    type: int,
    documentation: 'The longest session that a member may ask for.',
    read: ({ groupSettings }) => groupSettings.maxSessionTimeoutMs,
  },
  'group.max.size': {
    type: int,
    documentation: 'Members that all groups may have together.',
    read: ({ groupSettings }) => groupSettings.maxMembers,
  },
  'group.min.session.timeout.ms': {
    type: int,
    documentation: 'The shortest session that a member may ask for.',
    read: ({ groupSettings }) => groupSettings.minSessionTimeoutMs,
  },
  'max.connections': {
    type: int,
    documentation: 'More connections are refused.',
    read: ({ limits }) => limits.connections,
  },
  'node.id': { type: int, documentation: 'There is one broker.', read: () => NODE_ID },
  'num.partitions': {
    type: int,
    documentation: 'Partitions of a topic that is made without saying how many.',
    read: (settings) => settings.defaultPartitionCount,
  },
  'offset.metadata.max.bytes': {
    type: int,
    documentation: 'Bytes of the text that may be stored with an offset.',
    read: ({ groupSettings }) => groupSettings.maxMetadataBytes,
  },
  'offsets.retention.check.interval.ms': {
    type: long,
    documentation: 'How often offsets that nobody uses are looked for; 0: never.',
    read: ({ groupSettings }) => groupSettings.offsetsCheckIntervalMs,
  },
  'offsets.retention.minutes': {
    type: int,
    documentation: 'A group without members that commits nothing for so long loses its offsets.',
    read: ({ groupSettings }) => Math.round(groupSettings.offsetsRetentionMs / 60_000),
  },
  'socket.request.max.bytes': {
    type: int,
    documentation: 'A longer request ends its connection.',
    read: ({ limits }) => limits.frameBytes,
  },
};

/** The broker's settings by name, the defaults of topics among them. All are given when it starts. */
export function brokerConfigs(settings: BrokerSettings): ReadonlyMap<string, BrokerConfig> {
  const own = Object.entries(rows).map(([name, { type, documentation, read }]): [string, BrokerConfig] => {
    const value = String(read(settings));
    return [name, { value, type, documentation, isDefault: value === String(read(DEFAULTS)) }];
  });
  const forTopics = [...topicConfigs].flatMap(([name, { brokerName, value, type }]): [string, BrokerConfig][] => {
    const documentation = `What topics have where they do not set ${name}.`;
    return brokerName === undefined ? [] : [[brokerName, { value, type, documentation, isDefault: true }]];
  });
  return new Map([...own, ...forTopics].sort(([a], [b]) => (a < b ? -1 : 1)));
}
