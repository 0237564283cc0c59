import type { GroupConsumerOptions, GroupMember } from '../api.ts';
import { StreamError } from '../errors.ts';

export interface Joined extends GroupMember {
  leaderId: string;
  /** Empty for everyone but the leader. */
  members: { memberId: string; metadata: Buffer }[];
}

/** What a group's members ask of whoever keeps the group. */
export interface GroupCoordinator {
  /** Answered when every member has joined, or its time is over. @throws MembershipEnded, StreamError */
  join(memberId: string, metadata: Buffer): Promise<Joined>;
  /** The leader hands in what each member gets; everyone gets its part. @throws MembershipEnded, StreamError */
  sync(member: GroupMember, assignments: { memberId: string; assignment: Buffer }[]): Promise<Buffer>;
  /** @throws MembershipEnded, StreamError */
  heartbeat(member: GroupMember): Promise<void>;
  /** @throws MembershipEnded, StreamError */
  commit(member: GroupMember, topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void>;
  leave(member: GroupMember): Promise<void>;
  close(): void;
}

/** Who asks. */
export type Reader = Pick<GroupConsumerOptions, 'group' | 'instanceId'>;

export interface GroupTimes {
  sessionTimeoutMs: number;
  /** How long the others wait for one that has work to finish. */
  rebalanceTimeoutMs: number;
}

const DEFAULT_SESSION_TIMEOUT_MS = 15_000;
const DEFAULT_REBALANCE_TIMEOUT_MS = 60_000;

export function groupTimes({ sessionTimeoutMs, rebalanceTimeoutMs }: GroupConsumerOptions): GroupTimes {
  return {
    sessionTimeoutMs: sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
    rebalanceTimeoutMs: rebalanceTimeoutMs ?? DEFAULT_REBALANCE_TIMEOUT_MS,
  };
}

/** @param instanceId which another process has now */
export function takenByAnother(group: string, instanceId: string | null): StreamError {
  return new StreamError('fenced', `another process reads group '${group}' as instance '${instanceId}' now`, {
    mend: 'Give each process of a group an instance of its own (INSTANCE=2), or end all but one.',
  });
}

/** `rebalance`: the members are asked to join again, as who they are. `lost`: the group went on without this one. */
export class MembershipEnded extends Error {
  readonly kind: 'rebalance' | 'lost';

  constructor(kind: 'rebalance' | 'lost') {
    super(kind === 'rebalance' ? 'the group divides its partitions anew' : 'the group went on without this member');
    this.kind = kind;
  }
}
