/** A way of dividing partitions that a member offers, with what the leader needs to know for it. */
export interface Protocol {
  name: string;
  metadata: Uint8Array;
}

export interface JoinAnswer {
  errorCode: number;
  generationId: number;
  protocolName: string;
  leader: string;
  /** The leader learns who is there, but the division stays as it is. */
  skipAssignment: boolean;
  memberId: string;
  members: { memberId: string; groupInstanceId: string | null; metadata: Uint8Array }[];
}

export interface SyncAnswer {
  errorCode: number;
  protocolType: string | null;
  protocolName: string | null;
  assignment: Uint8Array;
}

export interface MemberDescription {
  memberId: string;
  /** Static members name themselves; null for the others. */
  groupInstanceId: string | null;
  clientId: string;
  clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly Protocol[];
}

/** Roughly what a member takes besides what it says of itself: ids, timers, objects. */
const MEMBER_BYTES = 1024;

/** One consumer in a group, with the timer of its session and whichever request of it waits. */
export class Member {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly Protocol[];
  assignment: Uint8Array = new Uint8Array();

  #session: NodeJS.Timeout | undefined;
  #answerJoin: ((answer: JoinAnswer) => void) | undefined;
  #answerSync: ((answer: SyncAnswer) => void) | undefined;

  constructor(description: MemberDescription) {
    this.id = description.memberId;
    this.instanceId = description.groupInstanceId;
    this.clientId = description.clientId;
    this.clientHost = description.clientHost;
    this.sessionTimeoutMs = description.sessionTimeoutMs;
    this.rebalanceTimeoutMs = description.rebalanceTimeoutMs;
    this.protocols = description.protocols;
  }

  /** What is kept of it. */
  get heldBytes(): number {
    return MEMBER_BYTES + this.assignment.length + bytesOf(this.protocols);
  }

  get waitsForJoin(): boolean {
    return this.#answerJoin !== undefined;
  }

  get waitsForSync(): boolean {
    return this.#answerSync !== undefined;
  }

  /** The request is answered by `joined`. An earlier one that still waits gets `superseded`. */
  waitForJoin(superseded: JoinAnswer): Promise<JoinAnswer> {
    this.joined(superseded);
    return new Promise((resolve) => {
      this.#answerJoin = resolve;
    });
  }

  joined(answer: JoinAnswer): void {
    this.#answerJoin?.(answer);
    this.#answerJoin = undefined;
  }

  /** The request is answered by `synced`. An earlier one that still waits gets `superseded`. */
  waitForSync(superseded: SyncAnswer): Promise<SyncAnswer> {
    this.synced(superseded);
    return new Promise((resolve) => {
      this.#answerSync = resolve;
    });
  }

  synced(answer: SyncAnswer): void {
    this.#answerSync?.(answer);
    this.#answerSync = undefined;
  }

  /** Starts the session anew. `onExpired` is called once it is over, unless a request of the member waits by then. */
  keepAlive(onExpired: () => void): void {
    clearTimeout(this.#session);
    this.#session = setTimeout(() => {
      if (this.waitsForJoin || this.waitsForSync) this.keepAlive(onExpired);
      else onExpired();
    }, this.sessionTimeoutMs);
    this.#session.unref();
  }

  endSession(): void {
    clearTimeout(this.#session);
  }

  metadataFor(protocolName: string): Uint8Array {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? new Uint8Array();
  }

  /** True when nothing in these would change the leader's division. */
  offersSame(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, at) => {
        const mine = this.protocols[at]!;
        return mine.name === name && Buffer.compare(mine.metadata, metadata) === 0;
      })
    );
  }
}

/** Of what a member says of itself. */
export function bytesOf(protocols: readonly Protocol[]): number {
  return protocols.reduce((sum, { name, metadata }) => sum + name.length + metadata.length, 0);
}
