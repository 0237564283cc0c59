import { errorCodes } from '@tickfold/kafka-protocol';
import type { GroupSettings } from '../options.ts';
import {
  Group,
  type GroupState,
  type JoinRequest,
  refusedJoin,
  refusedSync,
  type Sender,
  type SyncSender,
} from './group.ts';
import { bytesOf, type JoinAnswer, type Member, type SyncAnswer } from './member.ts';

/** A commit without membership: by tools, and by consumers that assign partitions themselves. */
const NO_GENERATION = -1;

export interface GroupView {
  state: GroupState;
  protocolType: string;
  protocolName: string;
  members: readonly Member[];
}

/** All groups of this broker. Requests are in the protocol's words, answers carry its error codes. */
export class GroupCoordinator {
  readonly #settings: GroupSettings;
  readonly #groups = new Map<string, Group>();
  #isClosed = false;

  constructor(settings: GroupSettings) {
    this.#settings = settings;
  }

  join(groupId: string, request: JoinRequest): Promise<JoinAnswer> | JoinAnswer {
    const { minSessionTimeoutMs, maxSessionTimeoutMs, initialRebalanceDelayMs } = this.#settings;
    if (this.#isClosed) return refusedJoin(request.memberId, errorCodes.COORDINATOR_NOT_AVAILABLE);
    if (groupId === '') return refusedJoin(request.memberId, errorCodes.INVALID_GROUP_ID);
    if (request.sessionTimeoutMs < minSessionTimeoutMs || request.sessionTimeoutMs > maxSessionTimeoutMs) {
      return refusedJoin(request.memberId, errorCodes.INVALID_SESSION_TIMEOUT);
    }
    let group = this.#groups.get(groupId);
    if (!this.#hasRoomFor(group, request)) return refusedJoin(request.memberId, errorCodes.GROUP_MAX_SIZE_REACHED);
    if (group === undefined) {
      if (request.memberId !== '') return refusedJoin(request.memberId, errorCodes.UNKNOWN_MEMBER_ID);
      this.#forgetOldest();
      group = new Group(groupId, initialRebalanceDelayMs);
      this.#groups.set(groupId, group);
    }
    return group.join(request);
  }

  sync(
    groupId: string,
    sender: SyncSender,
    assignments: ReadonlyMap<string, Uint8Array>,
  ): Promise<SyncAnswer> | SyncAnswer {
    if (this.#isClosed) return refusedSync(errorCodes.COORDINATOR_NOT_AVAILABLE);
    const group = this.#groups.get(groupId);
    if (group === undefined) return refusedSync(errorCodes.UNKNOWN_MEMBER_ID);
    let assignedBytes = 0;
    for (const assignment of assignments.values()) assignedBytes += assignment.length;
    if (!this.#hasRoomForBytes(assignedBytes)) return refusedSync(errorCodes.GROUP_MAX_SIZE_REACHED);
    return group.sync(sender, assignments);
  }

  heartbeat(groupId: string, sender: Sender): number {
    if (this.#isClosed) return errorCodes.COORDINATOR_NOT_AVAILABLE;
    return this.#groups.get(groupId)?.heartbeat(sender) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  leave(groupId: string, memberId: string, groupInstanceId: string | null): number {
    return this.#groups.get(groupId)?.leave(memberId, groupInstanceId) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  /** Whether this sender may commit offsets now. */
  checkCommit(groupId: string, sender: Sender): number {
    if (groupId === '') return errorCodes.INVALID_GROUP_ID;
    const group = this.#groups.get(groupId);
    const isWithoutMembership = sender.generationId === NO_GENERATION;
    if (group === undefined) return isWithoutMembership ? errorCodes.NONE : errorCodes.ILLEGAL_GENERATION;
    if (isWithoutMembership && group.members.length === 0) return errorCodes.NONE;
    return group.checkCommit(sender);
  }

  view(groupId: string): GroupView | undefined {
    return this.#groups.get(groupId);
  }

  /** Whether anybody is in the group, or on the way into it. */
  hasMembers(groupId: string): boolean {
    return this.#groups.get(groupId)?.isAbandoned === false;
  }

  groupIds(): string[] {
    return [...this.#groups.keys()];
  }

  /** Forgets a group that has no members. */
  delete(groupId: string): number {
    const group = this.#groups.get(groupId);
    if (group !== undefined && !group.isAbandoned) return errorCodes.NON_EMPTY_GROUP;
    group?.close();
    this.#groups.delete(groupId);
    return errorCodes.NONE;
  }

  /** Answers whatever waits and refuses whatever comes. */
  close(): void {
    this.#isClosed = true;
    for (const group of this.#groups.values()) group.close();
  }

  #hasRoomFor(group: Group | undefined, request: JoinRequest): boolean {
    const { memberId, groupInstanceId } = request;
    const isNew = memberId === '' && (groupInstanceId === null || group?.hasStaticMember(groupInstanceId) !== true);
    if (isNew && this.#count(({ memberCount }) => memberCount) >= this.#settings.maxMembers) return false;
    return this.#hasRoomForBytes(bytesOf(request.protocols));
  }

  #hasRoomForBytes(bytes: number): boolean {
    return bytes + this.#count(({ heldBytes }) => heldBytes) <= this.#settings.maxMemberBytes;
  }

  #count(of: (group: Group) => number): number {
    let sum = 0;
    for (const group of this.#groups.values()) sum += of(group);
    return sum;
  }

  #forgetOldest(): void {
    if (this.#groups.size < this.#settings.maxEmptyGroups) return;
    for (const [id, group] of this.#groups) {
      if (!group.isAbandoned) continue;
      group.close();
      this.#groups.delete(id);
      return;
    }
  }
}
