import type { GroupMember, StreamAdmin } from '../api.ts';
import type { GroupCoordinator, Joined } from './coordinator.ts';

/** Of a group that has one member and never another: all within one process. */
export class LoneCoordinator implements GroupCoordinator {
  readonly #admin: Pick<StreamAdmin, 'commitOffsets'>;
  readonly #group: string;
  #generation = 0;

  constructor(admin: Pick<StreamAdmin, 'commitOffsets'>, group: string) {
    this.#admin = admin;
    this.#group = group;
  }

  async join(_memberId: string, metadata: Buffer): Promise<Joined> {
    const memberId = 'alone';
    return { memberId, leaderId: memberId, generation: ++this.#generation, members: [{ memberId, metadata }] };
  }

  async sync(_member: GroupMember, assignments: { memberId: string; assignment: Buffer }[]): Promise<Buffer> {
    return assignments[0]!.assignment;
  }

  async heartbeat(): Promise<void> {}

  commit(_member: GroupMember, topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    return this.#admin.commitOffsets(this.#group, topic, new Map(offsets));
  }

  async leave(): Promise<void> {}

  close(): void {}
}
