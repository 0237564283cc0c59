import type { LogEngine } from '@tickfold/log-engine';
import type { SnapshotInfo, VolumeAdmin, VolumeInfo } from '@tickfold/stream';
import { volumeErrorOf } from './engine-errors.ts';
import type { Logs } from './logs.ts';

export class InProcessVolumes implements VolumeAdmin {
  readonly #logs: Logs;

  constructor(logs: Logs) {
    this.#logs = logs;
  }

  async list(): Promise<VolumeInfo[]> {
    const engine = this.#logs.writable('list volumes');
    const topics = engine.topics();
    return engine.volumes().map(({ name, sizeBytes, stopped }) => ({
      name,
      sizeBytes,
      topics: topics.filter(({ volume }) => volume === name).length,
      stopped: stopped?.reason ?? null,
    }));
  }

  createSnapshot(
    name: string,
    pins: Readonly<Record<string, unknown>>,
    volumes: readonly string[] = [],
  ): Promise<SnapshotInfo> {
    return this.#ask(`take snapshot '${name}'`, (engine) => engine.createSnapshot(name, pins, { volumes }));
  }

  async adopt(stagingId: string): Promise<void> {
    await this.#ask(`adopt what was staged as '${stagingId}'`, (engine) => engine.adoptVolume(stagingId));
  }

  delete(name: string): Promise<void> {
    return this.#ask(`delete volume '${name}'`, (engine) => engine.deleteVolume(name));
  }

  async #ask<T>(what: string, work: (engine: LogEngine) => Promise<T>): Promise<T> {
    try {
      return await work(this.#logs.writable(what));
    } catch (error) {
      throw volumeErrorOf(error);
    }
  }
}
