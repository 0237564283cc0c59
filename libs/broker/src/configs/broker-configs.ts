import { configSources, configTypes } from '@tickfold/kafka-protocol';
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
  /** Where the value comes from, and what would count without that. */
  synonyms: readonly { name: string; value: string; source: number }[];
  /** Whether it is as it was when the broker started. */
  readOnly: boolean;
  documentation: string;
}

/** Settings that a client changed. */
export type Overrides = Readonly<Record<string, string>>;

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
  /** Given where clients may change it while the broker runs: to a whole number, this at least. */
  change?: { min: number; apply: (settings: BrokerSettings, value: number) => void };
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
    change: {
      min: 1,
      apply: ({ limits }, value) => {
        limits.connections = value;
      },
    },
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
  'sasl.kerberos.min.time.before.relogin': {
    type: long,
    documentation: 'Kept and shown; nothing depends on it: there is no SASL here.',
    read: () => 60_000,
    change: { min: 0, apply: () => {} },
  },
  'socket.request.max.bytes': {
    type: int,
    documentation: 'A longer request ends its connection.',
    read: ({ limits }) => limits.frameBytes,
  },
};

/** The broker's settings by name, the defaults of topics among them. Most are given when it starts. */
export class BrokerConfigs {
  readonly #settings: BrokerSettings;
  readonly #atStart: ReadonlyMap<string, { value: string; source: number }>;
  #overrides: Overrides = {};

  /**
   * @param settings in use: a change of theirs counts at once
   * @param kept what clients changed before; what may not be changed any more no longer counts
   */
  constructor(settings: BrokerSettings, kept: Overrides = {}) {
    this.#settings = settings;
    this.#atStart = new Map(
      Object.entries(rows).map(([name, { read }]) => {
        const value = String(read(settings));
        const isDefault = value === String(read(DEFAULTS));
        return [name, { value, source: isDefault ? configSources.default : configSources.staticBroker }];
      }),
    );
    const valid = Object.entries(kept).filter(([name, value]) => this.problemWith({ [name]: value }) === undefined);
    this.override(Object.fromEntries(valid));
  }

  get overrides(): Overrides {
    return this.#overrides;
  }

  /** Why these cannot be what clients changed; undefined where they can. */
  problemWith(overrides: Overrides): string | undefined {
    for (const [name, value] of Object.entries(overrides)) {
      const change = Object.hasOwn(rows, name) ? rows[name]!.change : undefined;
      if (change === undefined) return `${name} cannot be changed while the broker runs`;
      if (!/^\d{1,15}$/.test(value) || Number(value) < change.min) {
        return `${name} is "${value}" but must be a whole number from ${change.min}`;
      }
    }
    return undefined;
  }

  /** @param overrides all that count from now on, without a problem; what was changed and is not among them goes back */
  override(overrides: Overrides): void {
    this.#overrides = overrides;
    for (const [name, { change }] of Object.entries(rows)) {
      change?.apply(this.#settings, Number(overrides[name] ?? this.#atStart.get(name)!.value));
    }
  }

  /** All of them, in the order of their names. */
  describe(): [name: string, config: BrokerConfig][] {
    const own = Object.entries(rows).map(([name, { type, documentation, change }]): [string, BrokerConfig] => {
      const changed = this.#overrides[name];
      const dynamic = changed === undefined ? [] : [{ name, value: changed, source: configSources.dynamicBroker }];
      const synonyms = [...dynamic, { name, ...this.#atStart.get(name)! }];
      const { value } = synonyms[0]!;
      return [name, { value, type, synonyms, documentation, readOnly: change === undefined }];
    });
    const ofTopics = [...topicConfigs].flatMap(([name, { brokerName, value, type }]): [string, BrokerConfig][] => {
      if (brokerName === undefined) return [];
      const documentation = `What topics have where they do not set ${name}.`;
      const synonyms = [{ name: brokerName, value, source: configSources.default }];
      return [[brokerName, { value, type, synonyms, documentation, readOnly: true }]];
    });
    return [...own, ...ofTopics].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
