/**
 * One consumer group. Its members agree on who reads what in generations:
 *
 * ```
 *   Empty ──join──► PreparingRebalance ──all joined, or time over──► CompletingRebalance ──leader's sync──► Stable
 *     ▲                 ▲   └── nobody joined ──► Empty                     │                                  │
 *     │                 └────── a member joins, leaves, changes, expires ───┴──────────────────────────────────┘
 * ```
 *
 * It keeps members in memory only: after a restart of the broker they join again. It does not own committed offsets.
 */
import { randomUUID } from 'node:crypto';
import { errorCodes } from '@tickfold/kafka-protocol';
import { type JoinAnswer, Member, type MemberDescription, type Protocol, type SyncAnswer } from './member.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

/** Who sends a request, and what it believes about the group. */
export interface Sender {
  memberId: string;
  groupInstanceId: string | null;
  generationId: number;
}

/** What a member that asks for its part believes about the division; null where its client is too old to say it. */
export interface SyncSender extends Sender {
  protocolType: string | null;
  protocolName: string | null;
}

export interface JoinRequest extends MemberDescription {
  protocolType: string;
  /** False for old clients, which cannot come back with the id that they are given. */
  idIsRequired: boolean;
  /** False for old clients, which divide whenever they lead. */
  canSkipAssignment: boolean;
}

export class Group {
  readonly id: string;
  readonly #initialDelayMs: number;
  readonly #members = new Map<string, Member>();
  /** Member id by the name that a static member gave itself. */
  readonly #staticMembers = new Map<string, string>();
  /** Ids that were handed out and not used yet, with the timers that forget them. */
  readonly #promisedIds = new Map<string, NodeJS.Timeout>();
  #state: GroupState = 'Empty';
  #generationId = 0;
  #protocolType = '';
  #protocolName = '';
  #leaderId = '';
  #rebalanceTimer: NodeJS.Timeout | undefined;
  /** The first generation of an empty group waits a moment, so that members that start together share it. */
  #isDelayed = false;

  constructor(id: string, initialDelayMs: number) {
    this.id = id;
    this.#initialDelayMs = initialDelayMs;
  }

  get state(): GroupState {
    return this.#state;
  }

  get protocolType(): string {
    return this.#protocolType;
  }

  get protocolName(): string {
    return this.#protocolName;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** Members, with those on the way in. */
  get memberCount(): number {
    return this.#members.size + this.#promisedIds.size;
  }

  /** Bytes that are kept of its members. */
  get heldBytes(): number {
    let bytes = 0;
    for (const member of this.#members.values()) bytes += member.heldBytes;
    return bytes;
  }

  hasStaticMember(groupInstanceId: string): boolean {
    return this.#staticMembers.has(groupInstanceId);
  }

  /** True when nobody is in it or on the way into it. */
  get isAbandoned(): boolean {
    return this.#members.size === 0 && this.#promisedIds.size === 0;
  }

  join(request: JoinRequest): Promise<JoinAnswer> | JoinAnswer {
    if (!this.#isCompatible(request)) return refusedJoin(request.memberId, errorCodes.INCONSISTENT_GROUP_PROTOCOL);
    return request.memberId === '' ? this.#joinAsNew(request) : this.#joinWithId(request);
  }

  sync(sender: SyncSender, assignments: ReadonlyMap<string, Uint8Array>): Promise<SyncAnswer> | SyncAnswer {
    const errorCode = this.check(sender);
    if (errorCode !== errorCodes.NONE) return refusedSync(errorCode);
    const member = this.#members.get(sender.memberId)!;
    this.#keepAlive(member);
    if (this.#state === 'PreparingRebalance') return refusedSync(errorCodes.REBALANCE_IN_PROGRESS);
    if (!this.#isDividedBy(sender)) return refusedSync(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
    if (this.#state === 'Stable') return this.#partOf(member);

    const answer = member.waitForSync(refusedSync(errorCodes.REBALANCE_IN_PROGRESS));
    if (member.id === this.#leaderId) this.#assign(assignments);
    return answer;
  }

  heartbeat(sender: Sender): number {
    const errorCode = this.check(sender);
    if (errorCode !== errorCodes.NONE) return errorCode;
    this.#keepAlive(this.#members.get(sender.memberId)!);
    return this.#state === 'PreparingRebalance' ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE;
  }

  leave(memberId: string, groupInstanceId: string | null): number {
    if (this.#forgetPromise(memberId)) {
      this.#completeJoinIfAllAreHere();
      return errorCodes.NONE;
    }
    const known = groupInstanceId === null ? memberId : this.#staticMembers.get(groupInstanceId);
    const member = known === undefined ? undefined : this.#members.get(known);
    if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
    if (memberId !== '' && member.id !== memberId) return errorCodes.FENCED_INSTANCE_ID;
    this.#remove(member);
    return errorCodes.NONE;
  }

  /** What is wrong with a request that a member sends: its identity, then its generation. */
  check({ memberId, groupInstanceId, generationId }: Sender): number {
    if (groupInstanceId !== null) {
      const known = this.#staticMembers.get(groupInstanceId);
      if (known === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
      if (known !== memberId) return errorCodes.FENCED_INSTANCE_ID;
    }
    if (!this.#members.has(memberId)) return errorCodes.UNKNOWN_MEMBER_ID;
    return generationId === this.#generationId ? errorCodes.NONE : errorCodes.ILLEGAL_GENERATION;
  }

  /** As `check`, and a sign of life. Between join and sync nobody owns a partition, so nobody can commit either. */
  checkCommit(sender: Sender): number {
    const errorCode = this.check(sender);
    if (errorCode !== errorCodes.NONE) return errorCode;
    this.#keepAlive(this.#members.get(sender.memberId)!);
    return this.#state === 'CompletingRebalance' ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE;
  }

  /** Answers every request that waits, and stops all timers. */
  close(): void {
    clearTimeout(this.#rebalanceTimer);
    for (const timer of this.#promisedIds.values()) clearTimeout(timer);
    for (const member of this.#members.values()) {
      member.endSession();
      member.joined(refusedJoin(member.id, errorCodes.COORDINATOR_NOT_AVAILABLE));
      member.synced(refusedSync(errorCodes.COORDINATOR_NOT_AVAILABLE));
    }
  }

  #joinAsNew(request: JoinRequest): Promise<JoinAnswer> | JoinAnswer {
    const { groupInstanceId } = request;
    const memberId = `${groupInstanceId ?? request.clientId}-${randomUUID()}`;
    if (groupInstanceId !== null) {
      const formerId = this.#staticMembers.get(groupInstanceId);
      const former = formerId === undefined ? undefined : this.#members.get(formerId);
      return former === undefined
        ? this.#admit({ ...request, memberId })
        : this.#replace(former, { ...request, memberId });
    }
    if (!request.idIsRequired) return this.#admit({ ...request, memberId });
    const timer = setTimeout(() => {
      this.#promisedIds.delete(memberId);
      this.#completeJoinIfAllAreHere();
    }, request.sessionTimeoutMs);
    timer.unref();
    this.#promisedIds.set(memberId, timer);
    return refusedJoin(memberId, errorCodes.MEMBER_ID_REQUIRED);
  }

  #joinWithId(request: JoinRequest): Promise<JoinAnswer> | JoinAnswer {
    if (this.#forgetPromise(request.memberId)) return this.#admit(request);
    const errorCode = this.check({ ...request, generationId: this.#generationId });
    if (errorCode !== errorCodes.NONE) return refusedJoin(request.memberId, errorCode);

    const member = this.#members.get(request.memberId)!;
    const isUnchanged = member.offersSame(request.protocols);
    update(member, request);
    this.#keepAlive(member);
    const isLeader = member.id === this.#leaderId;
    // A member that asks again may have missed the answer. A leader that asks in a stable group wants a new division.
    if (isUnchanged && (this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && !isLeader))) {
      return this.#generationFor(member);
    }
    return this.#rejoin(member);
  }

  #admit(request: JoinRequest): Promise<JoinAnswer> {
    const member = new Member(request);
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id);
    this.#protocolType = request.protocolType;
    this.#keepAlive(member);
    return this.#rejoin(member);
  }

  /** A static member came back under a new id: the former holder of its name is fenced. */
  #replace(former: Member, request: JoinRequest): Promise<JoinAnswer> | JoinAnswer {
    const member = new Member(request);
    const canGoOn = this.#state === 'Stable' && former.offersSame(request.protocols);
    member.assignment = former.assignment;
    former.endSession();
    former.joined(refusedJoin(former.id, errorCodes.FENCED_INSTANCE_ID));
    former.synced(refusedSync(errorCodes.FENCED_INSTANCE_ID));
    this.#members.delete(former.id);
    this.#members.set(member.id, member);
    this.#staticMembers.set(member.instanceId!, member.id);
    if (this.#leaderId === former.id) this.#leaderId = member.id;
    this.#keepAlive(member);
    if (!canGoOn) return this.#rejoin(member);
    const answer = this.#generationFor(member);
    if (member.id !== this.#leaderId) return answer;
    // It leads on, but nothing is to be divided again. To an old client that is said by naming the former holder.
    return request.canSkipAssignment
      ? { ...answer, skipAssignment: true }
      : { ...answer, leader: former.id, members: [] };
  }

  #rejoin(member: Member): Promise<JoinAnswer> {
    const answer = member.waitForJoin(refusedJoin(member.id, errorCodes.REBALANCE_IN_PROGRESS));
    if (this.#state === 'PreparingRebalance') this.#completeJoinIfAllAreHere();
    else this.#prepareRebalance();
    return answer;
  }

  #remove(member: Member): void {
    member.endSession();
    member.joined(refusedJoin(member.id, errorCodes.UNKNOWN_MEMBER_ID));
    member.synced(refusedSync(errorCodes.UNKNOWN_MEMBER_ID));
    this.#members.delete(member.id);
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId);
    if (this.#state === 'PreparingRebalance') this.#completeJoinIfAllAreHere();
    else this.#prepareRebalance();
  }

  #prepareRebalance(): void {
    this.#isDelayed = this.#state === 'Empty' && this.#initialDelayMs > 0;
    this.#state = 'PreparingRebalance';
    for (const member of this.#members.values()) {
      member.assignment = new Uint8Array();
      if (!member.waitsForSync) continue;
      // While it waited, its session did not run: it begins anew.
      this.#keepAlive(member);
      member.synced(refusedSync(errorCodes.REBALANCE_IN_PROGRESS));
    }
    const waitMs = this.#isDelayed ? this.#initialDelayMs : this.#rebalanceTimeoutMs();
    this.#startRebalanceTimer(waitMs, () => this.#completeJoin());
    this.#completeJoinIfAllAreHere();
  }

  #completeJoinIfAllAreHere(): void {
    if (this.#state !== 'PreparingRebalance' || this.#isDelayed || this.#promisedIds.size > 0) return;
    if (this.members.every((member) => member.waitsForJoin)) this.#completeJoin();
  }

  /** Begins the next generation with whoever joined. Static members may be away until their session ends. */
  #completeJoin(): void {
    clearTimeout(this.#rebalanceTimer);
    this.#isDelayed = false;
    for (const member of this.members) {
      if (member.waitsForJoin || member.instanceId !== null) continue;
      member.endSession();
      this.#members.delete(member.id);
    }
    this.#generationId++;
    const joined = this.members.filter((member) => member.waitsForJoin);
    if (this.#members.size === 0) {
      this.#becomeEmpty();
    } else {
      this.#state = 'CompletingRebalance';
      this.#protocolName = this.#elect();
      if (joined.every(({ id }) => id !== this.#leaderId)) this.#leaderId = joined[0]?.id ?? '';
      for (const member of joined) {
        this.#keepAlive(member);
        member.joined(this.#generationFor(member));
      }
      this.#startRebalanceTimer(this.#rebalanceTimeoutMs(), () => this.#dropUnsynced());
    }
  }

  #becomeEmpty(): void {
    this.#state = 'Empty';
    this.#protocolName = '';
    this.#leaderId = '';
  }

  /** A leader that never divides must not hold up the others. */
  #dropUnsynced(): void {
    for (const member of this.members.filter(({ waitsForSync }) => !waitsForSync)) this.#remove(member);
  }

  #assign(assignments: ReadonlyMap<string, Uint8Array>): void {
    clearTimeout(this.#rebalanceTimer);
    this.#state = 'Stable';
    for (const member of this.#members.values()) {
      // A copy: what came in is a view of a whole request.
      member.assignment = Buffer.from(assignments.get(member.id) ?? []);
      this.#keepAlive(member);
      member.synced(this.#partOf(member));
    }
  }

  #partOf({ assignment }: Member): SyncAnswer {
    return {
      errorCode: errorCodes.NONE,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment,
    };
  }

  #isDividedBy({ protocolType, protocolName }: SyncSender): boolean {
    return (
      (protocolType === null || protocolType === this.#protocolType) &&
      (protocolName === null || protocolName === this.#protocolName)
    );
  }

  #generationFor(member: Member): JoinAnswer {
    const isLeader = member.id === this.#leaderId;
    return {
      errorCode: errorCodes.NONE,
      generationId: this.#generationId,
      protocolName: this.#protocolName,
      leader: this.#leaderId,
      skipAssignment: false,
      memberId: member.id,
      members: isLeader
        ? this.members.map((other) => ({
            memberId: other.id,
            groupInstanceId: other.instanceId,
            metadata: other.metadataFor(this.#protocolName),
          }))
        : [],
    };
  }

  /** Of the protocols that all members offer, the one that most of them prefer. */
  #elect(): string {
    const votes = new Map<string, number>();
    for (const { protocols } of this.members) {
      const vote = protocols.find(({ name }) => this.#allOffer(name));
      if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
  }

  #isCompatible({ memberId, protocolType, protocols }: JoinRequest): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    const others = this.members.filter(({ id }) => id !== memberId);
    if (others.length === 0) return true;
    return (
      protocolType === this.#protocolType &&
      protocols.some(({ name }) => others.every((other) => offers(other.protocols, name)))
    );
  }

  #allOffer(name: string): boolean {
    return this.members.every(({ protocols }) => offers(protocols, name));
  }

  #rebalanceTimeoutMs(): number {
    return Math.max(0, ...this.members.map((member) => member.rebalanceTimeoutMs));
  }

  #startRebalanceTimer(afterMs: number, onTime: () => void): void {
    clearTimeout(this.#rebalanceTimer);
    this.#rebalanceTimer = setTimeout(onTime, afterMs);
    this.#rebalanceTimer.unref();
  }

  #keepAlive(member: Member): void {
    member.keepAlive(() => this.#remove(member));
  }

  #forgetPromise(memberId: string): boolean {
    clearTimeout(this.#promisedIds.get(memberId));
    return this.#promisedIds.delete(memberId);
  }
}

export function refusedJoin(memberId: string, errorCode: number): JoinAnswer {
  return { errorCode, generationId: -1, protocolName: '', leader: '', skipAssignment: false, memberId, members: [] };
}

export function refusedSync(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: new Uint8Array() };
}

function update(member: Member, request: JoinRequest): void {
  member.protocols = request.protocols;
  member.sessionTimeoutMs = request.sessionTimeoutMs;
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
}

function offers(protocols: readonly Protocol[], name: string): boolean {
  return protocols.some((protocol) => protocol.name === name);
}
