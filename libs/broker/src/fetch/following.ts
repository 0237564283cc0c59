import type { Isolation, LogEngine, PartitionLog } from '@tickfold/log-engine';
import { findPartition } from '../engine-errors.ts';
import { visibleEnd } from '../isolation.ts';

/** Where a partition's log begins and ends for its readers. */
export interface Ends {
  highWatermark: bigint;
  lastStableOffset: bigint;
  logStartOffset: bigint;
}

/** A partition that a client reads. */
export interface Followed {
  readonly topic: string;
  readonly index: number;
  offset: bigint;
  maxBytes: number;
  log: PartitionLog | undefined;
  /** The ends when it was last looked at. */
  seen: Ends | undefined;
  /** The ends as the client knows them; undefined where it was told nothing, or an error. */
  told: Ends | undefined;
  stopWatching: (() => void) | undefined;
  /** The client reads it no longer; another request of its session may still be at it. */
  isLeft: boolean;
}

export interface WaitOptions {
  waitMs: number;
  /** How long to let more follow on the first news. */
  gatherMs: number;
  signal: AbortSignal;
}

/**
 * The partitions that a client reads, and which of them are to be looked at: all at first, then those that moved. An
 * append costs the same however many are followed.
 */
export class Following {
  readonly #engine: LogEngine;
  readonly #partitions = new Map<string, Followed>();
  /** In the order in which they are to be looked at. */
  readonly #moved = new Set<Followed>();
  readonly #onMoved = new Set<() => void>();
  #isWatching = false;

  constructor(engine: LogEngine) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#partitions.size;
  }

  all(): Iterable<Followed> {
    return this.#partitions.values();
  }

  /** Follows a partition, or goes on with it from there. */
  follow(topic: string, index: number, offset: bigint, maxBytes: number): void {
    const place = placeOf(topic, index);
    let followed = this.#partitions.get(place);
    if (followed === undefined) {
      const nothing = { log: undefined, seen: undefined, told: undefined, stopWatching: undefined, isLeft: false };
      followed = { topic, index, offset, maxBytes, ...nothing };
      this.#partitions.set(place, followed);
    }
    followed.offset = offset;
    followed.maxBytes = maxBytes;
    this.#moved.add(followed);
  }

  leave(topic: string, index: number): void {
    const place = placeOf(topic, index);
    const followed = this.#partitions.get(place);
    if (followed === undefined) return;
    leave(followed);
    this.#partitions.delete(place);
    this.#moved.delete(followed);
  }

  /** Those to be looked at now, the ones that waited longest first. They count as looked at. */
  takeMoved(): Followed[] {
    const taken = [...this.#moved];
    this.#moved.clear();
    return taken;
  }

  /** To be looked at next time, whether or not they move. */
  lookAgain(partitions: Iterable<Followed>): void {
    for (const each of partitions) if (!each.isLeft) this.#moved.add(each);
  }

  lookAtAll(): void {
    this.lookAgain(this.#partitions.values());
  }

  /** Finds the log, which may have gone or been made anew. Gives the error code of an answer: 0 where it is there. */
  find(followed: Followed): number {
    const { log, errorCode } = findPartition(this.#engine, followed.topic, followed.index);
    if (log !== followed.log) {
      followed.stopWatching?.();
      followed.stopWatching = undefined;
      followed.log = log;
    }
    if (this.#isWatching) this.#watch(followed);
    return errorCode;
  }

  /** From now on partitions that move are noticed; those that moved since they were looked at are already. */
  watch(isolation: Isolation): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    for (const followed of this.#partitions.values()) {
      const { log, seen } = followed;
      this.#watch(followed);
      if (log !== undefined && seen !== undefined && visibleEnd(log, isolation) > visibleEnd(seen, isolation)) {
        this.#moved.add(followed);
      }
    }
  }

  /** Resolves when there is one to be looked at, or when the time is over. */
  news({ waitMs, gatherMs, signal }: WaitOptions): Promise<void> {
    return new Promise((resolve) => {
      const timers: NodeJS.Timeout[] = [];
      const finish = (): void => {
        for (const timer of timers) clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        this.#onMoved.delete(onMoved);
        resolve();
      };
      const onMoved = (): void => {
        this.#onMoved.delete(onMoved);
        if (gatherMs === 0) finish();
        else timers.push(setTimeout(finish, gatherMs));
      };
      timers.push(setTimeout(finish, waitMs));
      signal.addEventListener('abort', finish, { once: true });
      this.#onMoved.add(onMoved);
      if (this.#moved.size > 0) onMoved();
    });
  }

  /** Watches nothing any longer. */
  end(): void {
    for (const followed of this.#partitions.values()) leave(followed);
    this.#partitions.clear();
    this.#moved.clear();
  }

  #watch(followed: Followed): void {
    if (followed.isLeft) return;
    followed.stopWatching ??= followed.log?.onVisible(() => {
      this.#moved.add(followed);
      for (const tell of this.#onMoved) tell();
    });
  }
}

function leave(followed: Followed): void {
  followed.isLeft = true;
  followed.stopWatching?.();
}

function placeOf(topic: string, index: number): string {
  return `${index}/${topic}`;
}
