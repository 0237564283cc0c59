import type { GroupMember } from '../api.ts';
import { Deferred } from '../deferred.ts';
import {
  type GroupCoordinator,
  type GroupTimes,
  type Joined,
  MembershipEnded,
  type Reader,
  takenByAnother,
} from '../group/coordinator.ts';
import { RANGE } from '../group/divide-by-range.ts';
import { asInstance, type Cluster, type ClusterBroker } from './cluster.ts';
import { ClusterLink } from './cluster-link.ts';
import { askGroup } from './coordinator.ts';
import { protocolErrorOf, streamErrorOf } from './kafka-errors.ts';

/** A group that a broker of the cluster keeps. Over connections of its own, as a join may take long. */
export class KafkaCoordinator implements GroupCoordinator {
  readonly #link: ClusterLink;
  readonly #group: string;
  readonly #instanceId: string | null;
  readonly #times: GroupTimes;
  readonly #closed = new Deferred();

  constructor(openCluster: () => Cluster, { group, instanceId }: Reader, times: GroupTimes) {
    this.#link = new ClusterLink(openCluster);
    this.#group = group;
    this.#instanceId = instanceId ?? null;
    this.#times = times;
  }

  async join(memberId: string, metadata: Buffer): Promise<Joined> {
    const { generationId, leaderId, ...joined } = await this.#ask('cannot be joined', (coordinator) =>
      coordinator.joinGroup({
        groupId: this.#group,
        sessionTimeout: this.#times.sessionTimeoutMs,
        rebalanceTimeout: this.#times.rebalanceTimeoutMs,
        memberId,
        groupProtocols: [{ name: RANGE, metadata }],
      }),
    );
    const members = joined.members.map((member) => ({ memberId: member.memberId, metadata: member.memberMetadata }));
    return { memberId: joined.memberId, leaderId, generation: generationId, members };
  }

  async sync(member: GroupMember, assignments: { memberId: string; assignment: Buffer }[]): Promise<Buffer> {
    const { memberAssignment } = await this.#ask('was not divided', (coordinator) =>
      coordinator.syncGroup({
        groupId: this.#group,
        generationId: member.generation,
        memberId: member.memberId,
        groupAssignment: assignments.map(({ memberId, assignment }) => ({ memberId, memberAssignment: assignment })),
      }),
    );
    return memberAssignment;
  }

  async heartbeat(member: GroupMember): Promise<void> {
    await this.#ask('takes no sign of life', (coordinator) => coordinator.heartbeat(this.#of(member)));
  }

  async commit(member: GroupMember, topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await this.#ask(`takes no offsets in '${topic}'`, (coordinator) =>
      coordinator.offsetCommit({ ...this.#of(member), topics: [{ topic, partitions }] }),
    );
  }

  async leave({ memberId }: GroupMember): Promise<void> {
    await this.#ask('cannot be left', (coordinator) => coordinator.leaveGroup({ groupId: this.#group, memberId }));
  }

  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  cutOff(): void {
    this.close();
  }

  close(): void {
    this.#link.close();
    this.#closed.resolve();
  }

  #of({ memberId, generation }: GroupMember) {
    return { groupId: this.#group, groupGenerationId: generation, memberId };
  }

  async #ask<T>(what: string, ask: (coordinator: ClusterBroker) => Promise<T>): Promise<T> {
    try {
      const instanceId = this.#instanceId;
      return await askGroup(this.#link, this.#group, (coordinator) =>
        ask(instanceId === null ? coordinator : asInstance(coordinator, instanceId)),
      );
    } catch (error) {
      const protocolError = protocolErrorOf(error);
      if (protocolError === 'REBALANCE_IN_PROGRESS') throw new MembershipEnded('rebalance');
      if (protocolError === 'UNKNOWN_MEMBER_ID' || protocolError === 'ILLEGAL_GENERATION') {
        throw new MembershipEnded('lost');
      }
      if (protocolError === 'FENCED_INSTANCE_ID') throw takenByAnother(this.#group, this.#instanceId);
      throw streamErrorOf(error, `group '${this.#group}' ${what}`);
    }
  }
}
