import type { LogEngine } from '@tickfold/log-engine';
import type { BrokerLog, GroupSettings } from '../options.ts';
import type { GroupCoordinator } from './coordinator.ts';

interface Parts {
  engine: LogEngine;
  coordinator: GroupCoordinator;
  settings: GroupSettings;
  log: BrokerLog;
  /** UTC milliseconds. */
  clock?: () => number;
}

/**
 * Takes the offsets of groups that nobody uses any more: without members, and without a commit, for the time of
 * `offsetsRetentionMs`. When a group was used last is kept in memory only: after a start of the broker each has its
 * whole time again.
 */
export class OffsetExpiry {
  readonly #parts: Parts;
  readonly #clock: () => number;
  readonly #startedAtMs: number;
  readonly #usedAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#startedAtMs = this.#clock();
    const { offsetsCheckIntervalMs } = parts.settings;
    if (offsetsCheckIntervalMs === 0) return;
    this.#timer = setInterval(() => void this.run(), offsetsCheckIntervalMs);
    this.#timer.unref();
  }

  /** To be called when the group commits. */
  touch(groupId: string): void {
    this.#usedAtMs.set(groupId, this.#clock());
  }

  /** One round over all groups. What fails is logged, and tried again in the next one. */
  run(): Promise<void> {
    this.#round ??= this.#expire().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Resolves when nothing of it goes on. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  async #expire(): Promise<void> {
    const { engine, coordinator, settings, log } = this.#parts;
    const groups = new Set(engine.groupsWithOffsets());
    for (const groupId of this.#usedAtMs.keys()) if (!groups.has(groupId)) this.#usedAtMs.delete(groupId);
    for (const groupId of groups) {
      if (coordinator.hasMembers(groupId)) this.touch(groupId);
      const unusedMs = this.#clock() - (this.#usedAtMs.get(groupId) ?? this.#startedAtMs);
      if (unusedMs < settings.offsetsRetentionMs) continue;
      try {
        if (engine.unstableOffsets(groupId).length > 0) continue;
        await engine.deleteGroupOffsets(groupId);
        log.info({ group: groupId, unusedMs }, 'offsets of a group that nobody uses are gone');
      } catch (error) {
        log.warn({ group: groupId, err: error }, 'offsets of a group cannot be taken away');
      }
    }
  }
}
