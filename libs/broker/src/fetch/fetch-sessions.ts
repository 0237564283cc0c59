import { randomInt } from 'node:crypto';
import { errorCodes } from '@tickfold/kafka-protocol';
import type { Isolation } from '@tickfold/log-engine';
import type { Following } from './following.ts';

/** Kafka's: a session that is younger, or was used since, does not make room for another one. */
const MIN_EVICTION_MS = 120_000;
const LAST_EPOCH = 2_147_483_647;
const FIRST_EPOCH = 1;

/** What a client read last, so that it need not say again what it reads, nor be told again what did not change. */
export interface FetchSession {
  readonly id: number;
  readonly following: Following;
  /** That the client's next request has to have. */
  epoch: number;
  isolation: Isolation;
  usedAtMs: number;
}

export interface FetchSessionLimits {
  /** Fetch sessions that are kept. */
  fetchSessions: number;
  /** Partitions that all of them follow together. */
  fetchSessionPartitions: number;
}

/**
 * The fetch sessions of all clients (KIP-227). A client that gets none reads all the same. A session ends with the
 * connection that made it: after a new connection clients begin a new one.
 */
export class FetchSessions {
  readonly #limits: FetchSessionLimits;
  readonly #clock: () => number;
  /** In the order in which they were used. */
  readonly #sessions = new Map<number, FetchSession>();
  readonly #ofConnection = new WeakMap<AbortSignal, Set<number>>();

  constructor(limits: FetchSessionLimits, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Keeps what a client follows; undefined where there is no room. */
  open(following: Following, isolation: Isolation, connection: AbortSignal): FetchSession | undefined {
    if (connection.aborted || !this.#makeRoom(following.size)) return undefined;
    const session: FetchSession = {
      id: this.#unusedId(),
      following,
      epoch: FIRST_EPOCH,
      isolation,
      usedAtMs: this.#clock(),
    };
    this.#sessions.set(session.id, session);
    this.#endWith(connection, session.id);
    return session;
  }

  /** The session of a request that goes on with one; its epoch is used up. Else the error code of the answer. */
  take(id: number, epoch: number): FetchSession | number {
    const session = this.#sessions.get(id);
    if (session === undefined) return errorCodes.FETCH_SESSION_ID_NOT_FOUND;
    if (session.epoch !== epoch) return errorCodes.INVALID_FETCH_SESSION_EPOCH;
    session.epoch = epoch === LAST_EPOCH ? FIRST_EPOCH : epoch + 1;
    session.usedAtMs = this.#clock();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  end(id: number): void {
    this.#sessions.get(id)?.following.end();
    this.#sessions.delete(id);
  }

  /** True where all of them together do not follow too much. */
  fit(): boolean {
    return this.#partitionCount() <= this.#limits.fetchSessionPartitions;
  }

  #makeRoom(partitions: number): boolean {
    const { fetchSessions, fetchSessionPartitions } = this.#limits;
    const hasRoom = (): boolean =>
      this.#sessions.size < fetchSessions && this.#partitionCount() + partitions <= fetchSessionPartitions;
    if (partitions > fetchSessionPartitions) return false;
    for (const { id, usedAtMs } of this.#sessions.values()) {
      if (hasRoom() || usedAtMs + MIN_EVICTION_MS > this.#clock()) break;
      this.end(id);
    }
    return hasRoom();
  }

  #partitionCount(): number {
    let count = 0;
    for (const { following } of this.#sessions.values()) count += following.size;
    return count;
  }

  #endWith(connection: AbortSignal, id: number): void {
    let ids = this.#ofConnection.get(connection);
    if (ids === undefined) {
      ids = new Set();
      this.#ofConnection.set(connection, ids);
      const all = ids;
      connection.addEventListener('abort', () => {
        for (const each of all) this.end(each);
      });
    }
    for (const each of ids) if (!this.#sessions.has(each)) ids.delete(each);
    ids.add(id);
  }

  #unusedId(): number {
    for (;;) {
      const id = randomInt(1, LAST_EPOCH);
      if (!this.#sessions.has(id)) return id;
    }
  }
}
