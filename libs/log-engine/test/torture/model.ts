import { volumeOfGroup, volumeOfTopic } from '@tickfold/log-engine';
import { GroupModel } from './group-model.ts';
import { type FoundLog, PartitionModel } from './partition-model.ts';
import { TransactionModel } from './transaction-model.ts';

/** Whether a topic, file or snapshot is there: a call that did not return leaves it open. */
export type Presence = 'there' | 'gone' | 'unknown';

export class TopicModel {
  readonly name: string;
  readonly volume: string;
  readonly partitions: PartitionModel[] = [];
  /** Place of its making among all that was sent. */
  readonly serial: number;
  presence: Presence = 'unknown';
  #isCompacted = false;
  #mayStartLater = false;

  constructor(name: string, partitionCount: number, serial: number) {
    this.serial = serial;
    this.name = name;
    this.volume = volumeOfTopic(name);
    this.growTo(partitionCount, serial);
  }

  growTo(partitionCount: number, serial: number): void {
    for (let i = this.partitions.length; i < partitionCount; i++)
      this.partitions.push(new PartitionModel(`${this.name}/${i}`, serial));
    this.#tellPartitions();
  }

  /** The topic may have these settings from now on. What one of them allowed stays allowed. */
  allow(settings: Readonly<Record<string, string>>, hasQuota: boolean): void {
    this.#isCompacted ||= settings['cleanup.policy']?.includes('compact') ?? false;
    this.#mayStartLater ||= hasQuota || 'retention.ms' in settings || 'retention.bytes' in settings;
    this.#tellPartitions();
  }

  #tellPartitions(): void {
    for (const partition of this.partitions) {
      partition.isCompacted = this.#isCompacted;
      partition.mayStartLater = this.#mayStartLater;
    }
  }
}

/** What a snapshot was seen to hold; it never changes. */
export interface SnapshotContent {
  logs: Map<string, FoundLog>;
  offsets: Map<string, number>;
}

export interface SnapshotModel {
  readonly name: string;
  readonly volumes: readonly string[];
  presence: Presence;
  /** Everything that was acknowledged when it was asked for: batches sent before this one. */
  readonly askedAtSerial: number;
  content: SnapshotContent | undefined;
}

/** A file of a volume's catalog. */
export interface FileModel {
  readonly volume: string;
  readonly path: string;
  readonly text: string;
  presence: Presence;
}

/** A volume whose deletion or adoption did not return: it is there whole or not at all. */
export type UnsureVolume = { volume: string; topics: readonly string[] };

/** All that the engine should hold, in plain arrays. */
export class Model {
  readonly topics = new Map<string, TopicModel>();
  readonly groups = new Map<string, GroupModel>();
  readonly snapshots = new Map<string, SnapshotModel>();
  readonly files = new Set<FileModel>();
  readonly transactions = new TransactionModel();
  unsureVolumes: UnsureVolume[] = [];
  #serial = 0;

  nextSerial(): number {
    return this.#serial++;
  }

  get serial(): number {
    return this.#serial;
  }

  /** A topic that is there for sure. */
  topic(name: string): TopicModel | undefined {
    const topic = this.topics.get(name);
    return topic?.presence === 'there' ? topic : undefined;
  }

  group(name: string): GroupModel {
    const group = this.groups.get(name) ?? new GroupModel(name);
    this.groups.set(name, group);
    return group;
  }

  topicsOf(volume: string): TopicModel[] {
    return [...this.topics.values()].filter((topic) => topic.volume === volume);
  }

  filesOf(volume: string): FileModel[] {
    return [...this.files].filter((file) => file.volume === volume);
  }

  /** Every group may forget the topic. Gives the way to say that those of its own volume have. */
  forgetTopic(name: string): () => void {
    const own = volumeOfTopic(name);
    const acknowledgements = [...this.groups.values()].map((group) => {
      const acknowledge = group.forget((place) => place.startsWith(`${name}/`), this.nextSerial());
      return volumeOfGroup(group.name) === own ? acknowledge : () => undefined;
    });
    return () => {
      for (const acknowledge of acknowledgements) acknowledge();
    };
  }

  /** All groups of a volume that goes. */
  forgetGroupsOf(volume: string): () => void {
    const acknowledgements = [...this.groups.values()]
      .filter(({ name }) => volumeOfGroup(name) === volume)
      .map((group) => group.forget(() => true, this.nextSerial()));
    return () => {
      for (const acknowledge of acknowledgements) acknowledge();
    };
  }
}
