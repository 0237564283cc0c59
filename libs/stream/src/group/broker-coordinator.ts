import { apis, errorCodes, errorName } from '@tickfold/kafka-protocol';
import type { GroupMember } from '../api.ts';
import type { Connection } from '../connection.ts';
import { StreamError } from '../errors.ts';
import {
  type GroupCoordinator,
  type GroupTimes,
  type Joined,
  MembershipEnded,
  type Reader,
  takenByAnother,
} from './coordinator.ts';
import { RANGE } from './divide-by-range.ts';

/** Versions that the embedded broker, and every Kafka broker since 2.3, serves. */
const VERSIONS = { joinGroup: 5, syncGroup: 3, heartbeat: 3, leaveGroup: 3, offsetCommit: 7 } as const;
const PROTOCOL_TYPE = 'consumer';
const NO_LEADER_EPOCH = -1;

/** The embedded broker keeps its groups itself. Over a connection of its own, as a join may take long. */
export class BrokerCoordinator implements GroupCoordinator {
  readonly #open: () => Promise<Connection>;
  readonly #group: string;
  readonly #instanceId: string | null;
  readonly #times: GroupTimes;
  #connection: Promise<Connection> | undefined;

  constructor(open: () => Promise<Connection>, { group, instanceId }: Reader, times: GroupTimes) {
    this.#open = open;
    this.#group = group;
    this.#instanceId = instanceId ?? null;
    this.#times = times;
  }

  async join(memberId: string, metadata: Buffer): Promise<Joined> {
    const connection = await this.#connected();
    const request = {
      groupId: this.#group,
      ...this.#times,
      memberId,
      groupInstanceId: this.#instanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: [{ name: RANGE, metadata }],
      reason: null,
    };
    const waitMs = this.#times.rebalanceTimeoutMs;
    const response = await connection.request(apis.joinGroup, VERSIONS.joinGroup, request, waitMs);
    // A new member is given its name first, so that one who asks again is not taken for another.
    if (response.errorCode === errorCodes.MEMBER_ID_REQUIRED) return this.join(response.memberId, metadata);
    this.#check(response.errorCode, 'cannot be joined');
    const { memberId: ownId, leader, generationId, members } = response;
    return { memberId: ownId, leaderId: leader, generation: generationId, members: members.map(copied) };
  }

  async sync(member: GroupMember, assignments: { memberId: string; assignment: Buffer }[]): Promise<Buffer> {
    const connection = await this.#connected();
    const response = await connection.request(
      apis.syncGroup,
      VERSIONS.syncGroup,
      { ...this.#of(member), protocolType: null, protocolName: null, assignments },
      this.#times.rebalanceTimeoutMs,
    );
    this.#check(response.errorCode, 'was not divided');
    return Buffer.from(response.assignment);
  }

  async heartbeat(member: GroupMember): Promise<void> {
    const connection = await this.#connected();
    const response = await connection.request(apis.heartbeat, VERSIONS.heartbeat, this.#of(member));
    this.#check(response.errorCode, 'takes no sign of life');
  }

  async commit(member: GroupMember, topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const connection = await this.#connected();
    const partitions = Array.from(offsets, ([index, committedOffset]) => ({
      index,
      committedOffset,
      committedLeaderEpoch: NO_LEADER_EPOCH,
      committedMetadata: null,
    }));
    const response = await connection.request(apis.offsetCommit, VERSIONS.offsetCommit, {
      ...this.#of(member),
      retentionTimeMs: -1n,
      topics: [{ name: topic, partitions }],
    });
    for (const { errorCode } of response.topics.flatMap((answered) => answered.partitions)) {
      this.#check(errorCode, `takes no offsets in '${topic}'`);
    }
  }

  async leave({ memberId }: GroupMember): Promise<void> {
    const connection = await this.#connected();
    const members = [{ memberId, groupInstanceId: this.#instanceId, reason: null }];
    await connection.request(apis.leaveGroup, VERSIONS.leaveGroup, { groupId: this.#group, memberId, members });
  }

  close(): void {
    this.#connection?.then((connection) => connection.close()).catch(() => {});
  }

  #connected(): Promise<Connection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  #of({ memberId, generation }: GroupMember) {
    return { groupId: this.#group, generationId: generation, memberId, groupInstanceId: this.#instanceId };
  }

  #check(errorCode: number, what: string): void {
    switch (errorCode) {
      case errorCodes.NONE:
        return;
      case errorCodes.REBALANCE_IN_PROGRESS:
        throw new MembershipEnded('rebalance');
      case errorCodes.UNKNOWN_MEMBER_ID:
      case errorCodes.ILLEGAL_GENERATION:
        throw new MembershipEnded('lost');
      case errorCodes.FENCED_INSTANCE_ID:
        throw takenByAnother(this.#group, this.#instanceId);
      default: {
        const passes = errorCode === errorCodes.COORDINATOR_NOT_AVAILABLE || errorCode === errorCodes.NOT_COORDINATOR;
        const code = passes ? 'unavailable' : 'rejected';
        throw new StreamError(code, `group '${this.#group}' ${what}: ${errorName(errorCode)}`);
      }
    }
  }
}

/** What was read of an answer is a view of it. */
function copied({ memberId, metadata }: { memberId: string; metadata: Uint8Array }) {
  return { memberId, metadata: Buffer.from(metadata) };
}
