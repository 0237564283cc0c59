import type {
  Consumer,
  ConsumerOptions,
  GroupConsumer,
  GroupConsumerOptions,
  GroupMember,
  RecordChunk,
  StreamAdmin,
  TopicPartition,
} from '../api.ts';
import { Deferred } from '../deferred.ts';
import { StreamError } from '../errors.ts';
import { notAssigned } from '../positions.ts';
import { type GroupCoordinator, type Joined, MembershipEnded } from './coordinator.ts';
import { divideByRange } from './divide-by-range.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './messages.ts';

const HEARTBEATS_A_SESSION = 5;
const MAX_HEARTBEAT_MS = 1_000;

/** What a group consumer stands on; each engine has its own. */
export interface GroupLinks {
  coordinator: GroupCoordinator;
  admin: Pick<StreamAdmin, 'committedOffsets' | 'watermarks'>;
  /** Reads what it is told to. */
  read(options: ConsumerOptions): Consumer;
  sessionTimeoutMs: number;
}

/** One membership, from a division of the group's partitions to the next. */
interface Share {
  member: GroupMember;
  partitions: TopicPartition[];
  /** Why it ended; undefined while it lasts. */
  ended: 'rebalance' | 'lost' | 'closed' | StreamError | undefined;
  whenEnded: Deferred;
  reader: Consumer | undefined;
}

/**
 * Joins a group, reads its share of the partitions, and joins again each time that the group divides them anew. Heartbeats
 * go on while the loop is busy: a slow record does not cost the membership.
 */
export class BalancedGroupConsumer implements GroupConsumer {
  readonly #links: GroupLinks;
  readonly #options: GroupConsumerOptions;
  #memberId = '';
  #share: Share | undefined;
  #started = false;
  #closed = false;

  constructor(links: GroupLinks, options: GroupConsumerOptions) {
    this.#links = links;
    this.#options = options;
  }

  get member(): GroupMember | undefined {
    return this.#share?.member;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    if (this.#started) throw new StreamError('closed', 'a consumer can be looped over once');
    this.#started = true;
    try {
      while (!this.#closed) {
        const share = await this.#join();
        if (share !== undefined) yield* this.#readShare(share);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#closed = true;
      if (this.#memberId !== '') await this.#leave();
      this.#links.coordinator.close();
    }
  }

  async commit(topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const { group } = this.#options;
    const member = this.member;
    if (member === undefined) throw new StreamError('rebalanced', `group '${group}' has no member here now`);
    try {
      await this.#links.coordinator.commit(member, topic, offsets);
    } catch (error) {
      if (!(error instanceof MembershipEnded)) throw error;
      const what = `offsets of group '${group}' in '${topic}' were not committed: ${error.message}`;
      throw new StreamError('rebalanced', what, { cause: error });
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#readerOf(partitions[0]!).pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#readerOf(partitions[0]!).resume(partitions);
  }

  seek(to: TopicPartition & { offset: bigint }): void {
    this.#readerOf(to).seek(to);
  }

  #readerOf({ topic, partition }: TopicPartition): Consumer {
    const reader = this.#share?.reader;
    if (reader === undefined) throw notAssigned(topic, partition);
    return reader;
  }

  async confirm(): Promise<void> {
    const share = this.#share;
    if (share?.ended instanceof StreamError) throw share.ended;
    const { group } = this.#options;
    try {
      if (share === undefined) throw new MembershipEnded('lost');
      await this.#links.coordinator.heartbeat(share.member);
    } catch (error) {
      if (!(error instanceof MembershipEnded)) throw error;
      throw new StreamError('rebalanced', `group '${group}': ${error.message}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#share !== undefined) end(this.#share, 'closed');
    else this.#links.coordinator.close();
  }

  async *#readShare(share: Share): AsyncGenerator<RecordChunk, void, undefined> {
    const stopHeartbeats = this.#keepAlive(share);
    try {
      const assignments = await this.#startPositions(share);
      share.reader = this.#links.read({ ...limits(this.#options), assignments });
      // A reader of nothing ends at once.
      if (share.ended === undefined && assignments.length > 0) yield* untilEnded(share);
      if (share.ended === undefined) await share.whenEnded.promise;
      if (share.ended instanceof StreamError) throw share.ended;
    } finally {
      await share.reader?.close();
      try {
        await this.#giveUp(share);
      } finally {
        stopHeartbeats();
        this.#share = undefined;
      }
    }
  }

  /** The partitions are still this member's until this returns, unless they were lost. */
  async #giveUp({ ended, partitions }: Share): Promise<void> {
    const isLost = ended === 'lost' || ended instanceof StreamError;
    if (isLost) this.#memberId = '';
    if (partitions.length === 0) return;
    if (isLost) await this.#options.onLost?.(partitions);
    else await this.#options.onRevoked?.(partitions);
  }

  /** Undefined where the group changed meanwhile. */
  async #join(): Promise<Share | undefined> {
    const { coordinator } = this.#links;
    try {
      const joined = await coordinator.join(this.#memberId, encodeSubscription(this.#options.topics));
      this.#memberId = joined.memberId;
      const assignments = joined.leaderId === joined.memberId ? await this.#divide(joined) : [];
      const member = { memberId: joined.memberId, generation: joined.generation };
      const assignment = decodeAssignment(await coordinator.sync(member, assignments));
      const partitions = [...assignment].flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic, partition })),
      );
      const share: Share = { member, partitions, ended: undefined, whenEnded: new Deferred(), reader: undefined };
      this.#share = share;
      if (this.#closed) end(share, 'closed');
      return share;
    } catch (error) {
      if (!(error instanceof MembershipEnded)) throw error;
      if (error.kind === 'lost') this.#memberId = '';
      return undefined;
    }
  }

  async #divide({ members }: Joined): Promise<{ memberId: string; assignment: Buffer }[]> {
    const subscribers = members.map(({ memberId, metadata }) => ({ memberId, topics: decodeSubscription(metadata) }));
    const counts = new Map<string, number>();
    for (const topic of new Set(subscribers.flatMap(({ topics }) => topics))) {
      counts.set(topic, (await this.#links.admin.watermarks(topic)).length);
    }
    return [...divideByRange(subscribers, counts)].map(([memberId, share]) => ({
      memberId,
      assignment: encodeAssignment(share),
    }));
  }

  #keepAlive(share: Share): () => void {
    let isAsking = false;
    const intervalMs = Math.min(this.#links.sessionTimeoutMs / HEARTBEATS_A_SESSION, MAX_HEARTBEAT_MS);
    const timer = setInterval(async () => {
      if (isAsking || share.ended === 'lost') return;
      isAsking = true;
      try {
        await this.#links.coordinator.heartbeat(share.member);
      } catch (error) {
        if (error instanceof MembershipEnded) end(share, error.kind);
        else end(share, error as StreamError);
      } finally {
        isAsking = false;
      }
    }, intervalMs);
    return () => clearInterval(timer);
  }

  async #startPositions({ partitions }: Share): Promise<ConsumerOptions['assignments']> {
    const chosen = (await this.#options.onAssigned?.(partitions)) ?? [];
    const positions: ConsumerOptions['assignments'] = [];
    for (const topic of new Set(partitions.map((partition) => partition.topic))) {
      const committed = await this.#links.admin.committedOffsets(this.#options.group, topic);
      const atEnd = this.#options.from === 'end' ? await this.#links.admin.watermarks(topic) : [];
      for (const place of partitions) {
        if (place.topic !== topic) continue;
        const { partition } = place;
        const named = chosen.find((at) => at.topic === topic && at.partition === partition);
        const offset = named?.offset ?? committed.get(partition) ?? atEnd[partition]?.high;
        positions.push(offset === undefined ? { topic, partition } : { topic, partition, offset });
      }
    }
    return positions;
  }

  /** Where this fails, the session's timeout does it. */
  async #leave(): Promise<void> {
    await this.#links.coordinator.leave({ memberId: this.#memberId, generation: -1 }).catch(() => {});
  }
}

async function* untilEnded(share: Share): AsyncGenerator<RecordChunk, void, undefined> {
  for await (const chunk of share.reader!) {
    if (share.ended !== undefined) return;
    yield chunk;
    if (share.ended !== undefined) return;
  }
}

/** The first reason is kept, but what is lost is not given up in order. */
function end(share: Share, why: NonNullable<Share['ended']>): void {
  if (share.ended === undefined || why === 'lost') share.ended = why;
  share.whenEnded.resolve();
  void share.reader?.close();
}

function limits({ maxBytes, maxWaitMs, isolation }: GroupConsumerOptions): Omit<ConsumerOptions, 'assignments'> {
  return {
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxWaitMs !== undefined && { maxWaitMs }),
    ...(isolation !== undefined && { isolation }),
  };
}
