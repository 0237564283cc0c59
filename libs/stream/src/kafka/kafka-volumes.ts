import type { StreamAdmin, VolumeAdmin, VolumeInfo } from '../api.ts';
import { StreamError } from '../errors.ts';

/** Kafka keeps topics, not volumes: what is left of a volume there are the topics whose names begin with its own. */
export class KafkaVolumes implements VolumeAdmin {
  readonly #admin: StreamAdmin;

  constructor(admin: StreamAdmin) {
    this.#admin = admin;
  }

  /** The size is not known there: 0. */
  async list(): Promise<VolumeInfo[]> {
    const topics = new Map<string, number>();
    for (const { name } of await this.#admin.topics()) {
      const volume = volumeOf(name);
      topics.set(volume, (topics.get(volume) ?? 0) + 1);
    }
    return [...topics].map(([name, count]) => ({ name, sizeBytes: 0, topics: count, stopped: null }));
  }

  async createSnapshot(name: string): Promise<never> {
    throw new StreamError('no-volumes', `snapshot '${name}' was not taken: Apache Kafka keeps no volumes`);
  }

  async adopt(stagingId: string): Promise<never> {
    throw new StreamError('no-volumes', `'${stagingId}' was not adopted: Apache Kafka keeps no volumes`);
  }

  async delete(name: string): Promise<void> {
    const topics = (await this.#admin.topics()).map((topic) => topic.name).filter((topic) => volumeOf(topic) === name);
    if (topics.length === 0) {
      throw new StreamError('volume-refused', `volume '${name}' does not exist`, { reason: 'unknown-volume' });
    }
    await this.#admin.deleteTopics(topics);
  }
}

function volumeOf(topic: string): string {
  const dot = topic.indexOf('.');
  return dot < 1 ? 'default' : topic.slice(0, dot);
}
